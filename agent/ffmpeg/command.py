"""From an encode's settings to ffmpeg's command line. Pure: starts nothing, reads nothing."""

from __future__ import annotations

from agent.ffmpeg.begin import begin
from agent.ffmpeg.container import container
from agent.ffmpeg.hardware import device, uploaded
from agent.ffmpeg.others import others
from agent.ffmpeg.picture import picture
from agent.ffmpeg.sound import sound
from agent.ffmpeg.source import PROTOCOLS, opened, scaled, synthetic
from agent.ffmpeg.video import video
from common.settings import EncodeSettings


def build(
    ffmpeg: str,
    settings: EncodeSettings,
    output: str,
    descriptor: int | None = None,
    version: str = "",
    which_pass: int | None = None,
    clip: int | None = None,
) -> list[str]:
    """The argv of the encode; it writes `output` (a name in ffmpeg's working directory).

    Progress goes to stdout, twice a second; the log goes to stderr, each line with its
    level. `descriptor`: the open file that is encoded, which ffmpeg inherits; `version`: as
    ffmpeg names itself; `which_pass`: 1 or 2 of two, and the first one writes no output; `clip`: the
    open file with the complex clip, if that is encoded. ValueError if `output` is no plain name, as
    what is there is overwritten.
    """
    if "/" in output or output.startswith("."):
        raise ValueError(f"{output!r} must be a plain name: it is overwritten")
    argv = [*begin(ffmpeg), *device(settings)]
    if descriptor is None:
        argv += [*synthetic(settings, clip, version), "-map", "0:v:0"]
        argv += [] if clip is None else scaled(settings)
    else:
        argv += [*opened(descriptor, version), *picture(settings, version)]
    argv = uploaded(argv, settings)
    if not settings.every_frame:
        argv += ["-frames:v", str(settings.frames)]
    argv += video(settings, which_pass)
    if which_pass == 1:
        return [*argv, *_NOWHERE]
    argv += sound(settings)
    if descriptor is not None:
        argv += others(settings)
    return [*argv, *container(settings, output)]


def listen(
    ffmpeg: str,
    settings: EncodeSettings,
    track: str,
    how: str,
    descriptor: int | None = None,
    version: str = "",
) -> list[str]:
    """The argv that has the filter `how` listen to a `track` of what is encoded, for as long as it is."""
    given = synthetic(settings) if descriptor is None else opened(descriptor, version)
    return [*begin(ffmpeg), *given, *_listen(track, how), "-t", f"{settings.duration:.6f}", *_NOWHERE]


def listen_to_file(ffmpeg: str, name: str, how: str) -> list[str]:
    """The argv that has the filter `how` listen to the first track of a file in the working directory."""
    return [*begin(ffmpeg), *PROTOCOLS, "-i", f"file:{name}", *_listen("0:a:0", how), *_NOWHERE]


_NOWHERE = ["-f", "null", "-"]


def _listen(track: str, how: str) -> list[str]:
    return ["-map", track, "-af", how]
