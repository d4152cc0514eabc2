"""What the packets of one stream add up to, in bounded memory. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from heapq import heappop, heappush

_REORDERED = 64
"""Pictures that may come before one that is shown earlier; no codec has more than 17."""
_ROUNDING = Fraction(2, 1000)
"""Seconds by which the times between pictures differ when a container rounds them to milliseconds."""


@dataclass(slots=True)
class Steps:
    """The times between starts that come nearly in order."""

    least: Fraction | None = None
    """Seconds, as `most`; None: fewer than two starts have come."""
    most: Fraction | None = None
    first: Fraction | None = None
    last: Fraction | None = None
    _waiting: list[Fraction] = field(default_factory=list)

    def add(self, start: Fraction) -> None:
        """A picture begins then."""
        heappush(self._waiting, start)
        if len(self._waiting) > _REORDERED:
            self._take()

    def end(self) -> None:
        """There are no more."""
        while self._waiting:
            self._take()

    def _take(self) -> None:
        start = heappop(self._waiting)
        if self.last is None:
            self.first = start
        else:
            step = start - self.last
            self.least = step if self.least is None else min(self.least, step)
            self.most = step if self.most is None else max(self.most, step)
        self.last = start

    @property
    def span(self) -> float | None:
        """Seconds from the first start to the last."""
        return None if self.first is None or self.last is None else float(self.last - self.first)

    def vary(self, tick: Fraction) -> bool:
        """Whether they differ by more than rounding; `tick`: seconds of a step of the file's clock."""
        return (
            self.least is not None
            and self.most is not None
            and (self.most - self.least > max(_ROUNDING, 2 * tick))
        )


@dataclass(slots=True)
class Tally:
    """What was seen of one stream."""

    count: int = 0
    size: int = 0
    """Bytes."""
    start: Fraction | None = None
    """Seconds, as `end`."""
    end: Fraction = Fraction(0)
    """When what is shown last is over. A length is not always how long its own picture is shown: MP4 has the
    time to the next packet, which is another picture's where they are reordered."""
    last: Fraction | None = None
    """The latest start."""
    corrupt: bool = False

    @property
    def seconds(self) -> float:
        """From the first start, or from 0 where an encoder's priming lies before it."""
        return float(self.end - max(self.start or Fraction(0), Fraction(0)))

    def add(self, start: Fraction | None, length: Fraction, size: int) -> None:
        """A packet with `size` bytes that begins then, if that is known, and lasts `length` seconds."""
        self.count += 1
        self.size += size
        if start is not None:
            self.start = start if self.start is None else min(self.start, start)
            if self.last is None or start > self.last:
                self.last, self.end = start, max(Fraction(0), start + length)
            elif start == self.last:
                self.end = max(self.end, start + length)
