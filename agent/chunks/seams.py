"""When the frames of joined chunks are shown, and when a decoder gets them. Pure.

All times are whole ticks, so that nothing is rounded at a seam.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise


class SeamError(ValueError):
    """Chunks do not fit together; the message says which one, and how."""


@dataclass(slots=True)
class Film:
    """The frames of all chunks, in their order."""

    end: int
    """The tick at which the last frame ends."""
    shown: array[int] = field(default_factory=lambda: array("q"))
    """When each is shown, rising."""
    late: int = 0
    """By how many places a frame comes later to the decoder than it is shown, at most."""

    def add(self, name: str, ticks: Sequence[int]) -> None:
        """The next chunk's, in the order in which a decoder gets them. `SeamError`."""
        order = sorted(ticks)
        if any(early == late for early, late in pairwise(order)):
            raise SeamError(f"{name} has two frames at one moment")
        if order and self.shown and order[0] <= self.shown[-1]:
            raise SeamError(f"{name} begins before the chunk before it ends")
        if order and order[-1] >= self.end:
            raise SeamError(f"{name} has a frame after the end")
        rank = {tick: place for place, tick in enumerate(order)}
        late = max((place - rank[tick] for place, tick in enumerate(ticks)), default=0)
        self.late = max(self.late, late)
        self.shown.extend(order)

    def decoded(self) -> Iterator[int]:
        """When a decoder gets each packet, in that order: rising, and no later than its frame is shown.

        The packet that comes as number n gets the time of the frame that is shown `late` places before, and
        the first ones get times before the first frame's: as x264 itself has it.
        """
        shown, late = self.shown, self.late
        ahead = shown[late] - shown[0] if shown else 0
        for place in range(len(shown)):
            yield shown[place - late] if place >= late else shown[place] - ahead

    def length(self, place: int) -> int:
        """How many ticks the frame that is shown as number `place` lasts."""
        after = self.shown[place + 1] if place + 1 < len(self.shown) else self.end
        return after - self.shown[place]
