"""Values in order, for which coming and going cost next to nothing: they are sorted in when somebody looks.

Jobs come, run and end by the thousand between two looks at a listing. What came and went since the last look
is never sorted at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from sortedcontainers import SortedList

Comparable = TypeVar("Comparable", int, str, tuple[object, ...])

_FEW = 16
"""Values that are sorted in one by one; of more, the list decides how."""
_MOST = 1000
"""Values that are remembered to have come, or gone, last: they take ten times the memory of a list."""


class Ordered(Generic[Comparable]):
    """Different values, the least first. A million that come at once, as at a start, are sorted once."""

    __slots__ = ("_came", "_earlier", "_gone", "_sorted")

    def __init__(self) -> None:
        self._sorted: SortedList = SortedList()
        self._came: set[Comparable] = set()
        self._earlier: list[Comparable] = []
        """What came before that, and is not sorted in either."""
        self._gone: set[Comparable] = set()
        """Of those that are sorted in."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self._sorted) + len(self._earlier) + len(self._came) - len(self._gone)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._came or self._earlier) or len(self._sorted) > len(self._gone)

    def __iter__(self) -> Iterator[Comparable]:
        """All of them."""
        return iter(self.settled())

    def add(self, value: Comparable) -> None:
        """One that is not there yet has come."""
        if value in self._gone:
            self._gone.remove(value)
            return
        self._came.add(value)
        if len(self._came) >= _MOST:
            self._earlier += self._came
            self._came.clear()

    def discard(self, value: Comparable) -> None:
        """It goes, if it is there."""
        if value in self._came:
            self._came.remove(value)
            return
        if self._earlier:
            self.settle()
        if self._sorted and not self._gone and self._sorted[0] == value:
            self._sorted.pop(0)  # who waited longest
        elif value in self._sorted:
            self._gone.add(value)
            if len(self._gone) >= _MOST:
                self.settle()

    @property
    def first(self) -> Comparable:
        """The least; IndexError if there is none."""
        found: Comparable = self.settled()[0]
        return found

    def above(self, value: Comparable, *, included: bool = False) -> Iterator[Comparable]:
        """Those above `value`, the least first; `included`: with itself."""
        found: Iterator[Comparable] = self.settled().irange(minimum=value, inclusive=(included, True))
        return found

    def below(self, value: Comparable | None) -> Iterator[Comparable]:
        """Those below `value` (None: all), the greatest first."""
        found: Iterator[Comparable] = self.settled().irange(
            maximum=value, inclusive=(True, False), reverse=True
        )
        return found

    def settle(self) -> None:
        """Sort in what came, so that who looks next need not wait for that."""
        self.settled()

    def settled(self) -> SortedList:
        """All of them as they are now, to be read only."""
        if self._gone:
            for value in self._gone:
                self._sorted.remove(value)
            self._gone.clear()
        if self._came or self._earlier:
            self._earlier += self._came
            self._came.clear()
            if len(self._earlier) <= _FEW:
                for value in self._earlier:
                    self._sorted.add(value)
            else:
                self._sorted.update(self._earlier)
            self._earlier.clear()
        return self._sorted
