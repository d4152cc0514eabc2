"""Durations as people write them: `10s`, `1m30s`, `500ms`, `2h`, `1d`."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)", re.ASCII)

MOST_SECONDS = 36_500 * 86400.0
"""A hundred years: the longest time after which anything ends."""


def parse_duration(text: str) -> float:
    """Seconds; ValueError, with an example, if the text is no positive duration."""
    seconds, position = 0.0, 0
    while match := _PART.match(text, position):
        seconds += float(match[1]) * _UNITS[match[2]]
        position = match.end()
    if position != len(text) or seconds <= 0:
        raise ValueError(f"{text!r} is not a duration; write 10s, 1m30s, 500ms, 2h or 30d")
    return seconds


def format_duration(seconds: float) -> str:
    """The short form that `parse_duration` reads: 90.0 gives `1m30s`."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    whole = round(seconds)
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
