"""The command lines of what is beside the picture, and of what both become together. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from agent.ffmpeg.begin import begin
from agent.ffmpeg.container import container
from agent.ffmpeg.others import NO_TIMECODE, attachments, chapters, subtitles_of
from agent.ffmpeg.picture import lasting
from agent.ffmpeg.sound import sound, tracks
from agent.ffmpeg.source import PROTOCOLS, opened
from common.settings import CONTAINERS, EncodeSettings
from common.settings.tracks import subtitles

VIDEO, ABOUT = "video.mp4", "about.txt"
"""The joined picture, and what is said of the file and its tracks: names, chapters."""
_SECTION = re.compile(r"(?<!\\)\n\[STREAM\]\n")
_ESCAPED_END = re.compile(r"(?<!\\)\n")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_KEY = re.compile(r"[A-Za-z0-9_-]{1,50}", re.ASCII)
_OURS = ("encoder", "timecode", "duration")
"""What is no longer true of a picture that was encoded again."""
_MOST_NAMES, _MOST_CHARACTERS = 30, 1000
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
    names = ["0:V:0", *(name for name, _ in tracks(settings))]
    names += [f"0:s:{track.number}" for track, _ in subtitles(settings)]
    argv += [word for name in names for word in ("-map", name)]
    argv += ["-c", "copy", "-map_metadata", "0", *chapters(settings), *NO_TIMECODE]
    return [*argv, *lasting(settings), *PROTOCOLS, "-f", "ffmetadata", "-y", f"file:{ABOUT}"]


def join_command(
    ffmpeg: str, settings: EncodeSettings, output: str, tracks_in: str | None, about: str | None
) -> list[str]:
    """Puts the picture `VIDEO` and the tracks of `tracks_in` together into `output`, as they are.

    `about`: the text of `ABOUT`; None: nothing is said of the input.
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
    if about is not None:
        argv += [*PROTOCOLS, "-f", "ffmetadata", "-i", f"file:{ABOUT}"]
        said = ["-map_metadata", f"{number}", "-metadata", "encoder=", "-metadata", "creation_time="]
        said += _of_the_tracks(settings, about)
        said += ["-map_chapters", f"{number}" if CONTAINERS[settings.container].chapters else "-1"]
    argv += [*maps, "-c", "copy", *said, *NO_TIMECODE, "-fflags", "+bitexact"]
    if settings.codec == "h265" and settings.container in ("mp4", "hls", "dash"):
        argv += ["-tag:v", "hvc1"]
    return [*argv, *container(settings, output)]


def _of_the_tracks(settings: EncodeSettings, about: str) -> list[str]:
    """What is said of the input's picture, such as its language, and the titles of the tracks beside it.

    These have the rest in their own file; but MP4 keeps titles where it does not find them again.
    """
    names = ["v:0", *(f"a:{number}" for number, _ in enumerate(tracks(settings)))]
    names += [f"s:{number}" for number, _ in enumerate(subtitles(settings))]
    argv: list[str] = []
    for name, section in zip(names, _SECTION.split(about)[1:], strict=False):
        for key, value in _said(section):
            if name == "v:0" or key.casefold() == "title":
                argv += [f"-metadata:s:{name}", f"{key}={value}"]
    return argv


def _said(section: str) -> Iterator[tuple[str, str]]:
    """The names and values of a section, up to the next one."""
    for line in islice(_ESCAPED_END.split(section), _MOST_NAMES):
        key, equals, value = line.partition("=")
        if not equals or line.startswith("["):
            return
        if _KEY.fullmatch(key) and key.casefold() not in _OURS and len(value) <= _MOST_CHARACTERS:
            yield key, _ESCAPE.sub(lambda found: found[1], value)
