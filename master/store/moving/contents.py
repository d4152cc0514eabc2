"""What the records and the history of a farm come to, in whichever store: counts, and one hash. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from common.model import FarmState, Job, Node, Token, Webhook
from master.lifecycle import Record
from master.lifecycle.audit import Entry
from master.store import blocks, codec, places


class Reading(Protocol):
    """All that a store keeps, in one order: the same contents come in the same order from any store."""

    @property
    def history(self) -> int:
        """How many events there were since the beginning."""

    def records(self) -> Iterator[Record]:
        """What holds for the farm; nodes, tokens and webhooks as they came; jobs as they were submitted."""

    def entries(self) -> Iterator[Entry]:
        """The history, oldest first."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What all of it comes to. If two are equal, all that they stand for is."""

    jobs: int
    results: int
    """Of the jobs, those that have one."""
    nodes: int
    tokens: int
    webhooks: int
    events: int
    """Entries of the history; those that were too old are gone."""
    history: int
    """How many events there were since the beginning."""
    sha256: str
    """Over the history's length, each record and each entry, as JSON."""


class Counted:
    """A reading, and what was read of it."""

    def __init__(self, reading: Reading) -> None:
        """Nothing is read yet."""
        self._reading = reading
        self._hash = hashlib.sha256(b"%d\n" % reading.history)
        self._kinds: Counter[type] = Counter()
        self._results = self._events = 0
        self.history = reading.history

    def records(self) -> Iterator[Record]:
        """See `Reading`. Records come before entries."""
        for record in self._reading.records():
            self._hash.update(codec.encode_record(record) + b"\n")
            self._kinds[type(record)] += 1
            self._results += isinstance(record, Job) and bool(places.results(record))
            yield record

    def entries(self) -> Iterator[Entry]:
        """See `Reading`."""
        for entry in self._reading.entries():
            self._hash.update(blocks.line(entry))
            self._events += 1
            yield entry

    def contents(self) -> Contents:
        """What was read comes to this; both have been read to their ends, once."""
        assert self._kinds[FarmState] == 1  # noqa: S101 - it is the first record
        kinds = self._kinds
        return Contents(
            kinds[Job],
            self._results,
            kinds[Node],
            kinds[Token],
            kinds[Webhook],
            self._events,
            self.history,
            self._hash.hexdigest(),
        )


def contents_of(reading: Reading) -> Contents:
    """Read all of it."""
    counted = Counted(reading)
    for _ in counted.records():
        pass
    for _ in counted.entries():
        pass
    return counted.contents()
