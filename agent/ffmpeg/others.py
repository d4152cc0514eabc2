"""Subtitles, chapters and attached files of an input, on the command line. Pure."""

from __future__ import annotations

from common.settings import CONTAINERS, EncodeSettings
from common.settings.tracks import subtitles


def others(settings: EncodeSettings) -> list[str]:
    """All that the container takes; cover pictures and data are left out."""
    usual = CONTAINERS[settings.container]
    argv = []
    for number, (track, encoder) in enumerate(subtitles(settings)):
        argv += ["-map", f"0:s:{track.number}", f"-c:s:{number}", encoder]
    if usual.attachments and settings.subtitles:
        argv += ["-map", "0:t?", "-c:t", "copy"]  # fonts, which subtitles may need
    argv += ["-map_chapters", "0" if usual.chapters else "-1"]
    return [*argv, *_NO_TIMECODE]


_NO_TIMECODE = ["-metadata", "timecode=", "-metadata:s:v:0", "timecode="]
"""Of it mp4 would make a track of data."""
