"""What happens, told in order: the events of the history as the audit's entries, each with its number.

The store tells of transactions once they are on disk, maybe out of order. The feed is the one place that
puts them in order. It keeps the newest in memory; older ones come from the audit trail.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Protocol

from common.model import Actor
from common.problems import Problem
from master.lifecycle.audit import NAMES, Entry, entry, job_of
from master.lifecycle.events import Event, HistoryRewound
from master.store.journal import JournalError
from master.store.snapshot import length_after
from master.store.told import Listener, Told
from master.store.trail import Onward, Page, Wanted

log = logging.getLogger(__name__)

RING = 2000
"""Entries that are kept in memory."""
READ_AT_ONCE = 1000
"""Entries that are read back from the trail at once: finding the place costs more than reading on."""
READ_KEPT = 8
"""As many such stretches are kept: readers take them in small pieces, and several take the same."""
ANY = Wanted()


class Heard:
    """One event of the history. What the audit shows of it is made when asked for: most are only counted."""

    __slots__ = ("_actor", "_entry", "event", "owner", "seq")

    def __init__(
        self,
        seq: int,
        owner: str | None,
        event: Event | None,
        actor: Actor | None,
        entry_: Entry | None = None,
    ) -> None:
        """Of these two, one is there: an event that happened just now, or what was read from the trail."""
        self.seq = seq
        """Its number."""
        self.owner = owner
        """The submitter whom its job belongs to; None: nobody, or it is about no job, or about one that has
        left the memory since."""
        self.event = event
        """The event itself; None where it was read back from the trail."""
        self._actor = actor
        self._entry = entry_

    @property
    def entry(self) -> Entry:
        """As the audit shows it, with its number `seq`."""
        found = self._entry
        if found is None:
            assert self.event is not None  # noqa: S101 - see __init__
            found = self._entry = entry(self.seq, self._actor, self.event)
        return found

    @property
    def name(self) -> str:
        """What the event is called there."""
        return NAMES[type(self.event)] if self.event is not None else str(self.entry["event"])

    @property
    def job_id(self) -> str | None:
        """The job that it names."""
        return job_of(self.event) if self.event is not None else self.entry["job_id"]


Hearer = Callable[[Sequence[Heard]], None]


@dataclass(frozen=True, slots=True)
class Stretch:
    """What follows a place in the feed, oldest first."""

    heard: Sequence[Heard]
    reached: int
    """All that is wanted up to this number is in `heard`, or lost; the place to go on from."""
    lost: int | None = None
    """Of the events up to this number not all can be told any more; None: nothing is lost."""


@dataclass(frozen=True, slots=True)
class _ReadBack:
    """What was read from the trail behind a place."""

    after: int
    wanted: Wanted
    stretch: Stretch

    def has(self, seq: int, wanted: Wanted) -> bool:
        """Whether it tells something of what follows `seq`."""
        return self.wanted == wanted and self.after <= seq < self.stretch.reached

    def behind(self, seq: int, limit: int) -> Stretch:
        """Its part behind `seq`, which it has."""
        lost = self.stretch.lost
        rest = [each for each in self.stretch.heard if each.seq > seq]
        reached = rest[limit - 1].seq if len(rest) > limit else self.stretch.reached
        return Stretch(rest[:limit], reached, lost if lost is not None and seq < lost else None)


class _Trail(Protocol):
    def page(self, before: int, limit: int, wanted: Wanted) -> Page:
        """See `master.store.trail.Trail`."""

    def after(self, seq: int, upto: int, limit: int, wanted: Wanted) -> Onward:
        """See there."""


class _Store(Protocol):
    @property
    def history(self) -> int:
        """How many events the disk holds."""

    @property
    def trail(self) -> _Trail:
        """The audit trail."""

    def subscribe(self, listener: Listener) -> None:
        """Call it with each transaction."""

    def owner_of(self, job_id: str) -> str | None:
        """Whose a job is."""


class Feed:
    """The history as it goes on. Any thread may use it."""

    def __init__(self, store: _Store, size: int = RING) -> None:
        """Hear what `store` records from now on, and keep the newest `size` entries."""
        self._store = store
        self._size = size
        self._lock = threading.Lock()
        self._early: dict[int, Told] = {}
        """Transactions that were told before one that came before them, by the length of the history."""
        self._ring: deque[Heard] = deque()
        self._untold: list[Heard] = []
        self._telling = False
        self._hearers: list[Hearer] = []
        self._refilling = threading.Lock()
        self._refilled = False
        self._read: deque[_ReadBack] = deque(maxlen=READ_KEPT)
        self._seq = self._ring_after = store.history
        store.subscribe(self._hear)

    @property
    def seq(self) -> int:
        """The number of the newest event that was told in order."""
        return self._seq

    def remembers(self, seq: int) -> bool:
        """Whether `after` need not read files to tell what follows `seq`."""
        return seq >= self._ring_after

    def subscribe(self, hearer: Hearer) -> None:
        """Call `hearer` with all that happens from now on: in order, each once, on disk, some at once.

        The thread whose request brought it about calls, so it must be quick, and never wait. What it
        raises is logged, and goes no further.
        """
        self._hearers.append(hearer)

    def after(self, seq: int, limit: int, wanted: Wanted = ANY) -> Stretch:
        """Up to `limit` events with numbers above `seq`; fewer, or none, may come before the end.

        The end is where `reached` is `Feed.seq`. It reads files if `seq` is further back than the memory.
        """
        if seq > self._seq:
            # The history is shorter than somebody knows: an older copy of the state was restored.
            return Stretch((), self._seq, lost=self._seq)
        found = self._from_ring(seq, limit, wanted)
        if found is None and not self._refilled:
            self._refill()
            found = self._from_ring(seq, limit, wanted)
        return found or self._from_trail(seq, limit, wanted)

    def _from_ring(self, seq: int, limit: int, wanted: Wanted) -> Stretch | None:
        """None if `seq` is further back."""
        with self._lock:
            if seq < self._ring_after:
                return None
            newest_first = takewhile(lambda each: each.seq > seq, reversed(self._ring))
            # Chosen under the lock, as the ring must not change meanwhile.
            newer = [each for each in newest_first if wanted.fits(each.entry)]
            reached = self._seq
        if len(newer) > limit:
            newer = newer[-limit:]
            reached = newer[0].seq
        return Stretch(newer[::-1], reached)

    def _from_trail(self, seq: int, limit: int, wanted: Wanted) -> Stretch:
        with self._lock:
            known = next((each for each in self._read if each.has(seq, wanted)), None)
        if known is None:
            known = _ReadBack(seq, wanted, self._read_trail(seq, wanted))
            with self._lock:
                self._read.append(known)
        return known.behind(seq, limit)

    def _read_trail(self, seq: int, wanted: Wanted) -> Stretch:
        ring_after = self._ring_after
        try:
            found = self._store.trail.after(seq, ring_after, READ_AT_ONCE, wanted)
        except JournalError as error:
            log.error("the feed cannot tell events %d to %d: %s", seq + 1, ring_after, error)  # noqa: TRY400 - the sentence says it all
            return Stretch((), ring_after, lost=ring_after)
        return Stretch(list(map(self._read_back, found.entries)), found.reached, found.lost)

    def _read_back(self, entry_: Entry) -> Heard:
        job_id = entry_["job_id"]
        owner = None if job_id is None else self._store.owner_of(job_id)
        return Heard(entry_["seq"], owner, None, None, entry_)

    def _refill(self) -> None:
        """Once after the start: read back what was told last, so that not every reader does who returns."""
        with self._refilling:
            if self._refilled:
                return
            ring_after = self._ring_after
            try:
                page = self._store.trail.page(ring_after + 1, self._size, ANY)
            except JournalError as error:
                log.warning("the feed begins empty: %s", error)
                page = Page((), None, ())
            older = list(map(self._read_back, _without_holes(page.entries, ring_after)))
            with self._lock:
                if self._ring_after == ring_after:
                    room = max(0, self._size - len(self._ring))
                    for each in islice(older, room):
                        self._ring.appendleft(each)
                        self._ring_after = each.seq - 1
            self._refilled = True

    def _hear(self, told: Told) -> None:
        """What the store says; the thread that tells those who listen goes on until nothing is left."""
        with self._lock:
            self._early[told.before] = told
            while (following := self._early.pop(self._seq, None)) is not None:
                self._untold += self._keep(following)
            if self._telling:
                return
            self._telling = True
        while (some := self._next_untold()) is not None:
            for hearer in self._hearers:
                try:
                    hearer(some)
                except Problem as problem:  # it asked the store, which is not to be had
                    log.warning("a listener of the feed failed: %s", problem)
                except Exception:
                    log.exception("a listener of the feed failed")

    def _keep(self, told: Told) -> list[Heard]:
        fresh = list(_heard(told))
        self._ring.extend(fresh)
        while len(self._ring) > self._size:
            self._ring_after = self._ring.popleft().seq
        self._seq = told.after
        return fresh

    def _next_untold(self) -> Sequence[Heard] | None:
        with self._lock:
            if not self._untold:
                self._telling = False
                return None
            some, self._untold = self._untold, []
            return some


def _heard(told: Told) -> Iterator[Heard]:
    """The events of a transaction, numbered."""
    seq, actor, owners = told.before, told.actor, told.owners
    for event in told.events:
        seq = length_after(seq, (event,)) if isinstance(event, HistoryRewound) else seq + 1
        yield Heard(seq, owners.get(job_of(event) or ""), event, actor)


def _without_holes(newest_first: Sequence[Entry], last: int) -> Iterator[Entry]:
    """The entries up to number `last`, as far back as no number is missing."""
    for entry_ in newest_first:
        if entry_["seq"] != last:
            return
        yield entry_
        last -= 1
