"""The pictures of a stream as its packets tell of them: their times, and where decoding can begin. Pure."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from agent.chunks.bits import Look, Sort

BEFORE = 2
"""Pictures before the ones that are needed which must be exact too: filters look at neighbours."""
MOST_PICTURES = 4_000_000


class UndividedError(Exception):
    """The stream cannot be divided safely; the message says why, as the rest of a sentence."""


@dataclass(frozen=True, slots=True)
class Key:
    """A picture that decoding can begin with."""

    tick: int
    open: bool
    """Whether pictures behind it, which are shown before it, need others before it."""


@dataclass(slots=True)
class Gathered:
    """Packets in the order in which they come."""

    ticks: array[int] = field(default_factory=lambda: array("q"))
    """Of the pictures that are shown, from the file's start."""
    sizes: array[int] = field(default_factory=lambda: array("q"))
    """Bytes of their packets."""
    keys: list[Key] = field(default_factory=list)
    cut_off: list[int] = field(default_factory=list)
    """The ticks of pictures that an edit list takes away at the ends."""
    length: int = 0
    """Ticks that the picture lasts which is shown last; 0: it is not said."""
    _header: bytes = b""
    _leading: bool = False
    _last: int | None = None

    def add(
        self, tick: int, decoded: int | None, length: int, size: int, look: Look, *, hidden: bool
    ) -> None:
        """A packet; `hidden`: it is only there for others to be decoded. `UndividedError`."""
        self._check(decoded, look)
        if look.sort is not Sort.OTHER:
            self.keys.append(Key(tick, look.sort is Sort.OPEN))
        elif not self.keys:
            raise UndividedError("it does not begin with a key frame")
        elif tick < self.keys[-1].tick and not self.keys[-1].open:
            self.keys[-1] = Key(self.keys[-1].tick, open=True)
        if hidden:
            self.cut_off.append(tick)
        elif look.pictures:
            if not self.ticks or tick > self._latest:
                self._latest, self.length = tick, length
            self.ticks.append(tick)
            self.sizes.append(size)
        elif self.sizes:
            self.sizes[-1] += size
        if len(self.ticks) > MOST_PICTURES:
            raise UndividedError(f"it has more than {MOST_PICTURES} pictures")

    _latest: int = 0

    def _check(self, decoded: int | None, look: Look) -> None:
        if look.refused is not None:
            raise UndividedError(look.refused)
        if look.header:
            if self._header and look.header != self._header:
                raise UndividedError("its size or format changes on the way")
            self._header = look.header
        if decoded is not None:
            if self._last is not None and decoded < self._last:
                raise UndividedError("its times go back")
            self._last = decoded


@dataclass(frozen=True, slots=True)
class Pictures:
    """All pictures that are shown, in the order of their times."""

    ticks: Sequence[int]
    sizes: Sequence[int]
    """Bytes of each one's packet."""
    keys: Sequence[Key]
    """In the same order."""
    end: int
    """The tick at which the last one ends."""

    def seek(self, number: int) -> int:
        """The tick of the key frame from which decoding must begin, so that a picture is exact, and BEFORE
        of those before it. One that is open is not relied on: then it is the one before that.
        """
        wanted = self.ticks[max(0, number - BEFORE)]
        at = max(0, bisect_right(self.keys, wanted, key=lambda key: key.tick) - 1)
        return self.keys[at - 1 if at and self.keys[at].open else at].tick


def in_order(gathered: Gathered) -> Pictures:
    """`UndividedError` if they cannot be put in an order in which each has a moment of its own."""
    if not gathered.ticks:
        raise UndividedError("it has no pictures")
    order = sorted(range(len(gathered.ticks)), key=gathered.ticks.__getitem__)
    ticks = array("q", (gathered.ticks[n] for n in order))
    if any(one == other for one, other in pairwise(ticks)):
        raise UndividedError("several of its pictures have the same time")
    if ticks[0] < 0:
        raise UndividedError("its pictures begin before the file does")
    first = gathered.keys[0].tick
    if ticks[0] < first:
        raise UndividedError("it begins with pictures that need others before them")
    if any(ticks[0] <= tick <= ticks[-1] for tick in gathered.cut_off):
        raise UndividedError("its edit list leaves parts of it out")
    keys = sorted(gathered.keys, key=lambda key: key.tick)
    if keys != gathered.keys:
        raise UndividedError("its key frames are not in order")
    usual = max(1, (ticks[-1] - ticks[0]) // max(1, len(ticks) - 1))
    sizes = array("q", (gathered.sizes[n] for n in order))
    return Pictures(ticks, sizes, keys, ticks[-1] + (gathered.length or usual))
