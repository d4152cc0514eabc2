"""The command lines of what is beside the picture, and of what both become together. Pure."""

from __future__ import annotations

from agent.ffmpeg.begin import begin
from agent.ffmpeg.container import container
from agent.ffmpeg.others import NO_TIMECODE, attachments, chapters, subtitles_of
from agent.ffmpeg.picture import lasting
from agent.ffmpeg.sound import sound, tracks
from agent.ffmpeg.source import PROTOCOLS, opened
from common.settings import CONTAINERS, EncodeSettings
from common.settings.tracks import subtitles

VIDEO, ABOUT = "video.mp4", "about.txt"
"""The joined picture, and what is said of the file and its picture: names, chapters."""
_MATROSKA = "matroska"


def has_sound(settings: EncodeSettings) -> bool:
    """Whether there is a track of sound."""
    return bool(tracks(settings))


def has_tracks(settings: EncodeSettings) -> bool:
    """Whether there is a track beside the picture."""
    return bool(tracks(settings) or subtitles(settings))


def beside(settings: EncodeSettings) -> tuple[str, str, str]:
    """The name, the muxer and the media type of the file with all tracks but the picture.

    MP4 keeps all times as they are. Where it cannot hold what the job's container holds, Matroska does.
    """
    if settings.container == "webm":
        return "sound.webm", "webm", "video/webm"
    copied = settings.container == "mpegts" and (settings.audio == "copy" or subtitles(settings))
    if settings.container == "mkv" or copied:
        return "sound.mkv", _MATROSKA, "video/x-matroska"
    return "sound.mp4", "mp4", "video/mp4"


def sound_command(ffmpeg: str, settings: EncodeSettings, descriptor: int, version: str) -> list[str]:
    """Encodes everything but the picture of the open input into the file `beside`, as a whole encode does;
    and writes what is said of the input to `ABOUT`.
    """
    argv = [*begin(ffmpeg), *opened(descriptor, version)]
    name, muxer, _ = beside(settings)
    if has_tracks(settings):
        argv += [*sound(settings), *subtitles_of(settings), *attachments(settings), "-map_chapters", "-1"]
        argv += [*lasting(settings), *PROTOCOLS, "-f", muxer, "-y", f"file:{name}"]
    argv += ["-map", "0:V:0", "-c", "copy", "-map_metadata", "0", *chapters(settings), *NO_TIMECODE]
    return [*argv, *lasting(settings), *PROTOCOLS, "-f", "ffmetadata", "-y", f"file:{ABOUT}"]


def join_command(
    ffmpeg: str, settings: EncodeSettings, output: str, *, tracks_in: str | None, about: bool
) -> list[str]:
    """Puts the picture `VIDEO` and the tracks of `tracks_in` together into `output`, as they are.

    Bit-exact: without names that muxers invent, equal parts become equal files. `-copyts`: times count from
    the start of the input, not of each file here.
    """
    argv = [*begin(ffmpeg), "-copyts", *PROTOCOLS, "-i", f"file:{VIDEO}"]
    number = 1
    maps = ["-map", "0:v:0"]
    if tracks_in is not None:
        argv += [*PROTOCOLS, "-i", f"file:{tracks_in}"]
        maps += ["-map", f"{number}:a?", "-map", f"{number}:s?", "-map", f"{number}:t?"]
        number += 1
    said = ["-map_metadata", "-1", "-map_chapters", "-1"]
    if about:
        argv += [*PROTOCOLS, "-f", "ffmetadata", "-i", f"file:{ABOUT}"]
        said = ["-map_metadata", f"{number}", "-map_metadata:s:v:0", f"{number}:s:0"]
        said += ["-map_chapters", f"{number}" if CONTAINERS[settings.container].chapters else "-1"]
    argv += [*maps, "-c", "copy", *said, *NO_TIMECODE, "-fflags", "+bitexact"]
    if settings.codec == "h265" and settings.container in ("mp4", "hls", "dash"):
        argv += ["-tag:v", "hvc1"]
    return [*argv, *container(settings, output)]
