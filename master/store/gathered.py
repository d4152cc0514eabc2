"""Many decisions of one transaction that become one record of the journal."""

from __future__ import annotations

from collections.abc import Sequence

from common.model import Actor
from master.lifecycle.events import Event
from master.store import codec
from master.store.journal import Journal, JournalFullError


class Gathered:
    """Takes events as the journal does, and writes them at once.

    What it took has its room on the disk, in the segment that is being written. So whoever is refused is
    refused before anything is changed, as without this.
    """

    def __init__(self, journal: Journal, actor: Actor) -> None:
        """`actor` brings all of them about."""
        self._journal = journal
        self._actor = actor
        self._encoded: list[bytes] = []
        self._empty = len(codec.envelope([], actor))
        self._size = self._empty

    def add(self, events: Sequence[Event]) -> None:
        """Take `events`. `JournalFullError` if there is no room, `JournalError` if the disk failed."""
        encoded = codec.encode_each(events)
        size = sum(map(len, encoded)) + len(encoded)
        if not (self._encoded and self._journal.has_room(self._size + size)):
            self.write()
            self._journal.make_room(self._size + size)
        self._encoded += encoded
        self._size += size

    def write(self) -> None:
        """Write what was taken. Should the disk not take it even so, nothing more is acknowledged, ever."""
        if self._encoded:
            try:
                self._journal.append(codec.envelope(self._encoded, self._actor))
            except JournalFullError as error:
                self._journal.give_up(str(error))
        self._encoded, self._size = [], self._empty
