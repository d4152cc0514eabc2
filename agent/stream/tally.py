"""What the encoder made in each whole second of the stream. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agent.stream.flv import Tag

_OVERHEAD = 5
"""Bytes at the head of a video tag that are FLV's and not the codec's."""


@dataclass(frozen=True, slots=True)
class Rates:
    """The bitrates of a stream's pictures, in bits per second. Unknown is None."""

    mean: float | None
    """Over the whole stream."""
    deviation: float | None
    """The standard deviation (of the population) of its whole seconds."""
    least: float | None
    most: float | None


class Tally:
    """Counts the bytes of pictures by the second of the stream's own time in which they are decoded."""

    def __init__(self) -> None:
        self.frames = 0
        self.codec: str | None = None
        """Of the first picture."""
        self._first: int | None = None
        self._last = 0
        self._seconds: list[int] = []

    def add(self, tag: Tag) -> None:
        """Count a tag, if it is a picture."""
        if not tag.is_picture:
            return
        if self._first is None:
            self._first, self.codec = tag.timestamp, tag.codec
        self._last = max(self._last, tag.timestamp)
        second = max(0, tag.timestamp - self._first) // 1000
        self._seconds += [0] * (second + 1 - len(self._seconds))
        self._seconds[second] += max(0, len(tag.payload) - _OVERHEAD)
        self.frames += 1

    @property
    def frame_rate(self) -> float | None:
        """Pictures per second of the stream's own time; FLV has milliseconds."""
        if self._first is None or self._last == self._first:
            return None
        return round((self.frames - 1) * 1000 / (self._last - self._first), 3)

    def duration(self, fps: float) -> float:
        """Seconds from the first picture to the end of the last, which lasts 1 / `fps`."""
        return 0.0 if self._first is None else (self._last - self._first) / 1000 + 1 / fps

    def rates(self, fps: float) -> Rates:
        """Of what was counted; the last second counts if it is whole (to half a frame)."""
        length = self.duration(fps)
        if not length:
            return Rates(None, None, None, None)
        whole = [8.0 * count for count in self._seconds[: math.floor(length + 0.5 / fps)]]
        mean = 8.0 * sum(self._seconds) / length
        return Rates(mean, _deviation(whole), min(whole, default=None), max(whole, default=None))


def _deviation(values: Sequence[float]) -> float | None:
    if not values:
        return None
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
