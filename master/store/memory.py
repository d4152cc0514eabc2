"""The default store: dicts under one lock, every change journaled before it is answered."""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from common.model import Job, JobStatus, Node, Now
from common.problems import UNAVAILABLE
from master.lifecycle.events import Event
from master.store import codec, journal, snapshot
from master.store.liveness import Liveness
from master.store.state import ListingKey, State

log = logging.getLogger(__name__)

FOLD_AFTER = 4
"""Closed segments that are folded into a new snapshot together."""


class Transaction:
    """What a verb may ask of the store, and the one way to change it."""

    def __init__(self, state: State, journal_: journal.Journal, now: Now) -> None:
        self._state = state
        self._journal = journal_
        self.now = now
        self.events: list[Event] = []

    def job(self, job_id: str) -> Job | None:
        """The job with this id."""
        return self._state.jobs.get(job_id)

    def node(self, node_id: str) -> Node | None:
        """The node with this id."""
        return self._state.nodes.get(node_id)

    def nodes(self) -> list[Node]:
        """All nodes, in the order of their registration."""
        return list(self._state.nodes.values())

    def held(self, node_id: str) -> tuple[Job, ...]:
        """The jobs that run on a node."""
        return self._state.held(node_id)

    def running(self) -> list[Job]:
        """All jobs that run."""
        return list(self._state.running())

    def candidates(self, node: Node) -> Iterator[Job]:
        """Pending jobs that `node` meets the constraints of: the first of each kind."""
        self._state.queue.release(self._state.jobs, self.now)
        return (self._state.jobs[job_id] for job_id in self._state.queue.heads(node))

    def released(self) -> list[Job]:
        """Jobs whose backoff ended just now."""
        return self._state.queue.release(self._state.jobs, self.now)

    def ready_in(self, job_id: str) -> float:
        """Seconds that a pending job's backoff still lasts."""
        return self._state.queue.ready_in(job_id, self.now)

    def page(self, status: JobStatus | None, after: ListingKey | None, limit: int) -> list[Job]:
        """Jobs in listing order."""
        return self._state.page(status, after, limit)

    def results_page(self, after: ListingKey | None, limit: int) -> tuple[list[Job], int]:
        """Completed and failed jobs, newest first, and how many there are."""
        return self._state.results_page(after, limit)

    def count(self, status: JobStatus | None = None) -> int:
        """How many jobs there are."""
        return self._state.count(status)

    def next_seq(self) -> int:
        """The place in the queue that the next submitted job gets."""
        return self._state.last_seq + 1

    def record(self, events: Sequence[Event]) -> None:
        """Journal `events` and apply them: all, or none and `unavailable`."""
        if not events:
            return
        try:
            self._journal.append(codec.encode_events(events))
        except journal.JournalFullError as error:
            raise UNAVAILABLE(f"Nothing was changed: {error}. Free some space and try again.") from error
        except journal.JournalError as error:
            raise UNAVAILABLE(f"Nothing was changed: {error}.") from error
        for event in events:
            self._state.apply(event, self.now)
        self.events += events


class MemoryStore:
    """The records in memory, durable by journal and snapshot in one directory.

    `on_failure` is called once, with a sentence, when the disk failed for good: nothing
    is acknowledged any more, and the master should end.
    """

    def __init__(
        self,
        directory: Path,
        now: Now,
        *,
        on_failure: Callable[[str], None] = lambda _: None,
        segment_bytes: int = journal.SEGMENT_BYTES,
    ) -> None:
        """Load what is there. `JournalError` if it is damaged, `JournalFullError` if there is no room."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        self._lock = threading.Lock()
        self._state = State()
        self._fold: subprocess.Popen[bytes] | None = None
        self._closed: list[int] = []
        self._on_failure = on_failure
        self._listeners: list[Callable[[Sequence[Event]], None]] = []
        self.liveness = Liveness()
        last = self._load(now)
        self._journal = journal.Journal(
            directory, last + 1, on_closed=self._segment_closed, segment_bytes=segment_bytes
        )

    @contextmanager
    def transaction(self, now: Now) -> Iterator[Transaction]:
        """Decide and record under the lock; return when all that was seen is on disk.

        Also a read, and a refusal, waits: nobody is told of what a crash could undo.
        """
        tx: Transaction | None = None
        position = 0
        try:
            with self._lock:
                tx = Transaction(self._state, self._journal, now)
                try:
                    yield tx
                finally:
                    position = self._journal.position
        finally:
            self._wait_synced(position)
            if tx is not None and tx.events:
                for listener in self._listeners:
                    listener(tx.events)

    def subscribe(self, listener: Callable[[Sequence[Event]], None]) -> None:
        """Call `listener` with the events of each transaction, once they are on disk."""
        self._listeners.append(listener)

    def node_with_credential(self, digest: str) -> Node | None:
        """The node whose credential has this SHA-256; reads one dict, so it takes no lock."""
        return self._state.node_with_credential(digest)

    def tidy(self) -> None:
        """Now and then: mark an idle journal as synced, and fold closed segments."""
        with self._lock:
            self._journal.mark()
        if self._fold is not None and self._fold.poll() is not None:
            if self._fold.returncode != 0:
                log.error("the snapshot process ended with %s; it is tried again", self._fold.returncode)
            self._fold = None
            self._closed = [snapshot.number_of(path) for path in self._closed_segments()]
        if self._fold is None and len(self._closed) >= FOLD_AFTER:
            self._fold = snapshot.spawn_fold(self._directory, self._closed[-1])

    def close(self) -> None:
        """Sync and close; the store must not be used afterwards."""
        with self._lock:
            self._journal.close()
        if self._fold is not None:
            self._fold.wait()

    def _wait_synced(self, position: int) -> None:
        try:
            self._journal.wait_synced(position)
        except journal.JournalError as error:
            self._on_failure(str(error))
            raise UNAVAILABLE(f"Nothing can be acknowledged: {error}.") from error

    def _load(self, now: Now) -> int:
        """Restore the state; answers the number of the last segment."""
        (self._directory / "snapshot.part").unlink(missing_ok=True)
        covers, records = snapshot.read(self._directory)
        for record in records:
            self._state.load(record, now)
        for event in snapshot.events_after(self._directory, covers):
            self._state.apply(event, now)
        return self._cut_tail(covers)

    def _cut_tail(self, covers: int) -> int:
        """Close the last segment where its last whole record ends: it will not be written to again."""
        paths = journal.segments(self._directory)
        if paths and (cut := journal.cut_tail(paths[-1])):
            log.warning("cut %d bytes of an unfinished record off %s; nobody was told of it", cut, paths[-1])
        self._closed = [snapshot.number_of(path) for path in paths]
        return max([covers, *self._closed])

    def _closed_segments(self) -> list[Path]:
        with self._lock:
            return [
                p for p in journal.segments(self._directory) if snapshot.number_of(p) != self._journal.number
            ]

    def _segment_closed(self, number: int) -> None:
        self._closed.append(number)
