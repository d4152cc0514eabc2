"""From an encode's settings to ffmpeg's command line. Pure: starts nothing, reads nothing."""

from __future__ import annotations

from agent.ffmpeg.container import container
from agent.ffmpeg.picture import picture
from agent.ffmpeg.sound import sound
from agent.ffmpeg.source import opened, synthetic
from agent.ffmpeg.video import video
from common.settings import EncodeSettings


def build(
    ffmpeg: str, settings: EncodeSettings, output: str, descriptor: int | None = None, version: str = ""
) -> list[str]:
    """The argv of the encode; it writes `output` (a name in ffmpeg's working directory).

    Progress goes to stdout, twice a second; the log goes to stderr, each line with its
    level. `descriptor`: the open file that is encoded, which ffmpeg inherits; `version`: as
    ffmpeg names itself. ValueError if `output` is no plain name, as what is there is overwritten.
    """
    if "/" in output or output.startswith("."):
        raise ValueError(f"{output!r} must be a plain name: it is overwritten")
    argv = [ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info"]
    argv += ["-progress", "pipe:1", "-stats_period", "0.5"]
    if descriptor is None:
        argv += [*synthetic(settings), "-map", "0:v:0"]
    else:
        argv += [*opened(descriptor, version), *picture(settings)]
    argv += ["-frames:v", str(settings.frames), *video(settings)]
    argv += sound(settings, "1:a:0" if descriptor is None else "0:a:0")
    return [*argv, *container(settings, output)]
