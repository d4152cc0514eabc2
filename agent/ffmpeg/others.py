"""Subtitles, chapters and attached files of an input, on the command line. Pure."""

from __future__ import annotations

from common.settings import CONTAINERS, EncodeSettings
from common.settings.tracks import subtitles

NO_TIMECODE = ["-metadata", "timecode=", "-metadata:s:v:0", "timecode="]
"""Of it mp4 would make a track of data."""


def others(settings: EncodeSettings) -> list[str]:
    """All that the container takes; cover pictures and data are left out."""
    return [*subtitles_of(settings), *attachments(settings), *chapters(settings), *NO_TIMECODE]


def subtitles_of(settings: EncodeSettings) -> list[str]:
    """The tracks of subtitles."""
    argv = []
    for number, (track, encoder) in enumerate(subtitles(settings)):
        argv += ["-map", f"0:s:{track.number}", f"-c:s:{number}", encoder]
    return argv


def attachments(settings: EncodeSettings) -> list[str]:
    """Fonts, which subtitles may need."""
    if CONTAINERS[settings.container].attachments and settings.subtitles:
        return ["-map", "0:t?", "-c:t", "copy"]
    return []


def chapters(settings: EncodeSettings) -> list[str]:
    """The chapters, or none."""
    return ["-map_chapters", "0" if CONTAINERS[settings.container].chapters else "-1"]
