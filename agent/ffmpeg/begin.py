"""How each command line of ffmpeg begins. Pure."""

from __future__ import annotations

QUIET = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info")
"""It reads no terminal, and logs to stderr, each line with its level."""
_PROGRESS = ("-progress", "pipe:1", "-stats_period", "0.5")


def begin(ffmpeg: str) -> list[str]:
    """The program, which says twice a second on stdout how far it is."""
    return [ffmpeg, *QUIET, *_PROGRESS]
