"""Values in order, for which coming costs next to nothing: what came is sorted in when somebody looks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from sortedcontainers import SortedList

Comparable = TypeVar("Comparable", int, str)

_FEW = 16
"""Values that are sorted in one by one; of more, the list decides how."""


class Ordered(Generic[Comparable]):
    """Different values, the least first. A million that come at once, as at a start, are sorted once."""

    __slots__ = ("_came", "_sorted")

    def __init__(self) -> None:
        self._sorted: SortedList = SortedList()
        self._came: list[Comparable] = []

    def __len__(self) -> int:
        """How many there are."""
        return len(self._sorted) + len(self._came)

    def __iter__(self) -> Iterator[Comparable]:
        """All of them."""
        return iter(self._settled())

    def add(self, value: Comparable) -> None:
        """One that is not there yet has come."""
        self._came.append(value)

    def discard(self, value: Comparable) -> None:
        """It goes, if it is there."""
        self._settled().discard(value)

    @property
    def first(self) -> Comparable:
        """The least; IndexError if there is none."""
        found: Comparable = self._settled()[0]
        return found

    def above(self, value: Comparable, *, included: bool = False) -> Iterator[Comparable]:
        """Those above `value`, the least first; `included`: with itself."""
        found: Iterator[Comparable] = self._settled().irange(minimum=value, inclusive=(included, True))
        return found

    def below(self, value: Comparable | None) -> Iterator[Comparable]:
        """Those below `value` (None: all), the greatest first."""
        found: Iterator[Comparable] = self._settled().irange(
            maximum=value, inclusive=(True, False), reverse=True
        )
        return found

    def settle(self) -> None:
        """Sort in what came, so that who looks next need not wait for that."""
        self._settled()

    def _settled(self) -> SortedList:
        if self._came:
            if len(self._came) <= _FEW:
                for value in self._came:
                    self._sorted.add(value)
            else:
                self._sorted.update(self._came)
            self._came.clear()
        return self._sorted
