"""The nodes as this process read them last: to say why a job waits, it need not read thousands of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from common.model import Node
from master.store.told import Told


class KnownNodes:
    """They are read again once something was told of one, by whichever master. Any thread may use it."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._changes = 0
        self._known: tuple[int, Sequence[Node]] | None = None

    def hear(self, told: Told) -> None:
        """Of the store: forget them if one has changed."""
        if any(event.key[0] is Node for event in told.events):
            self._changes += 1

    def get(self, read: Callable[[], Sequence[Node]]) -> Sequence[Node]:
        """All nodes, in the order of their registration."""
        # What is told while they are read is not known of them for sure.
        changes, known = self._changes, self._known
        if known is None or known[0] != changes:
            known = self._known = changes, read()
        return known[1]
