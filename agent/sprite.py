"""Many small pictures in one: where each of them is, and which moment it shows. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

MOST = 100
"""Pictures of one video."""
SHORTEST = 1.0
"""Seconds between two of them, at least."""
COLUMNS = 10
THUMBNAIL = (320, 320)
"""Pixels that a thumbnail fits into."""
TILE = (160, 160)
"""Pixels that a picture of the sprite fits into: the whole has at most 1600x1600."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What pictures a video gets."""

    interval: float
    """Seconds of video for which each stands."""
    count: int
    thumbnail: tuple[int, int]
    """Width and height in pixels."""
    tile: tuple[int, int]

    @property
    def columns(self) -> int:
        """Pictures side by side."""
        return min(COLUMNS, self.count)

    @property
    def rows(self) -> int:
        """Pictures one below the other."""
        return math.ceil(self.count / COLUMNS)


def plan(width: int, height: int, seconds: float) -> Plan:
    """Up to `MOST` pictures, evenly over the video, of its shape."""
    interval = max(SHORTEST, seconds / MOST)
    count = max(1, min(MOST, math.ceil(seconds / interval - 0.001)))
    return Plan(interval, count, fit(width, height, THUMBNAIL), fit(width, height, TILE))


def fit(width: int, height: int, box: tuple[int, int]) -> tuple[int, int]:
    """The largest even size of that shape in `box`; nothing is enlarged."""
    scale = min(1.0, box[0] / width, box[1] / height)
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


def vtt(made: Plan, count: int, seconds: float, sprite: str) -> str:
    """WebVTT that says which part of `sprite` (a relative URL) shows which moment (Media Fragments `xywh`).

    `count`: pictures that there are. The last one stands for all that is left.
    """
    blocks = ["WEBVTT"]
    for number in range(count):
        begin = number * made.interval
        end = max(seconds, begin + 0.001) if number == count - 1 else begin + made.interval
        x, y = number % made.columns * made.tile[0], number // made.columns * made.tile[1]
        place = f"{sprite}#xywh={x},{y},{made.tile[0]},{made.tile[1]}"
        blocks.append(f"{_clock(begin)} --> {_clock(end)}\n{place}")
    return "\n\n".join(blocks) + "\n"


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
