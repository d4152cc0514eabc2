"""The default store: dicts under one lock, every change journaled before it is answered."""

from __future__ import annotations

import logging
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from common.model import MASTER, Actor, Job, Node, Now, Token, Webhook
from common.problems import UNAVAILABLE, Problem
from master.store import journal
from master.store.between import ComingHere, Nobody
from master.store.exclusion import Exclusion
from master.store.folding import Folding
from master.store.liveness import Liveness
from master.store.loading import load
from master.store.meter import UNMETERED, Meter
from master.store.sessions import SessionsHere
from master.store.settling import OPEN, Debt, EventLoop, Settling, Ticket
from master.store.state import State
from master.store.told import Listener, Told
from master.store.trail import Trail
from master.store.transaction import Transaction
from master.webhooks import file_book
from master.webhooks.book import Book

if TYPE_CHECKING:
    from master.store.kernel_syncs import KernelSyncs

log = logging.getLogger(__name__)


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
        meter: Meter = UNMETERED,
    ) -> None:
        """Load what is there. `JournalError` if it is damaged, `JournalFullError` if there is no room."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        self._lock = threading.Lock()
        self._state = State()
        self._folding = Folding(directory)
        self._on_failure = on_failure
        self._meter = meter
        self._failed = False
        self._listeners: list[Listener] = []
        self.shared, self.first = False, True
        self.exclusive, self.files = Exclusion(), None
        self.liveness = Liveness()
        self.trail = Trail(directory)
        self.talk, self.coming, self.sessions = Nobody(), ComingHere(), SessionsHere()
        self._settling = Settling(self._wait_synced, self._tell, self._begin_sync)
        last = load(directory, self._state, now)
        self._settling.history = self._state.history
        self._journal = journal.Journal(directory, last + 1, segment_bytes=segment_bytes, synced=meter.synced)

    @contextmanager
    def transaction(self, now: Now, actor: Actor = MASTER) -> Iterator[Transaction]:
        """Decide and record under the lock; return when all that was seen is on disk.

        `actor` is who brings about what is recorded.

        Also a read, and a refusal, waits: nobody is told of what a crash could undo.
        """
        told: Told | None = None
        position = history = 0
        asked = taken = time.perf_counter()
        try:
            with self._lock:
                taken = time.perf_counter()
                tx = Transaction(self._state, self._journal, now, actor)
                try:
                    yield tx
                finally:
                    position, history = self._journal.position, self._state.history
                    told = tx.told() if tx.events else None
        finally:
            self._meter.waited(taken - asked)
            self._meter.held(time.perf_counter() - taken)
            ticket = OPEN.get()
            if ticket is None:
                self._wait_synced(position)
                self._settling.settle(position, history)
                if told is not None:
                    self._tell(told)
            else:
                self._check_disk()
                self._settling.owe(ticket, Debt(position, history, told))

    @property
    def history(self) -> int:
        """How many events the disk holds, as far as anybody was told: it is never shorter than this.

        In an answer that waits for the disk: as it is when that is sent.
        """
        ticket = OPEN.get()
        return self._settling.history if ticket is None else max(self._settling.history, ticket.history)

    def open_ticket(self) -> Ticket:
        """From now on, in this context, transactions do not wait for the disk (`master.store.settling`)."""
        ticket = Ticket(self._settling)
        OPEN.set(ticket)
        return ticket

    def on_settled(self, hearer: Callable[[], None], loop: EventLoop | None = None) -> None:
        """Call `hearer` whenever tickets may be settled; see `Settling.subscribe`.

        Where the kernel can, it syncs for the loop, and no thread does.
        """
        if loop is not None:
            kernel = _kernel_syncs()
            if kernel is not None:
                self._journal.use_kernel(kernel)
                loop.watch(kernel.fileno, select.EPOLLIN, kernel.collect)
        self._settling.subscribe(hearer, loop)

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with each transaction that recorded something, once it is on disk.

        Not under the lock: of two transactions, the later one may be told first. `Feed` knows their order.
        """
        self._listeners.append(listener)

    def node_with_credential(self, digest: str) -> Node | None:
        """The node whose credential has this SHA-256; reads one dict, so it takes no lock."""
        return self._state.node_with_credential(digest)

    def owner_of(self, job_id: str) -> str | None:
        """Whose a job is; None if it is nobody's, or is not in memory. Takes no lock either."""
        job = self._state.jobs.get(job_id)
        return None if job is None else job.owner

    def token_with_secret(self, digest: str) -> Token | None:
        """The token whose secret has this SHA-256; takes no lock either."""
        return self._state.token_with_secret(digest)

    def job(self, job_id: str) -> Job | None:
        """The job as it is now, on disk or not; takes no lock either."""
        return self._state.jobs.get(job_id)

    def webhook(self, webhook_id: str) -> Webhook | None:
        """The webhook with this id; takes no lock either."""
        return self._state.webhooks.get(webhook_id)

    def webhooks(self) -> list[Webhook]:
        """All webhooks; takes no lock either."""
        return list(self._state.webhooks.values())

    def open_book(self, directory: Path) -> Book:
        """In a file beside the journal."""
        return file_book.FileBook(directory / file_book.NAME)

    def leads(self, _task: str) -> bool:
        """There is nobody else."""
        return True

    def tidy(self, now: Now) -> None:
        """Now and then, by one thread: mark an idle journal as synced, prepare its next segment, and fold
        those that are closed.
        """
        with self._lock:
            self._journal.mark()
            writing = self._journal.number
        self._journal.prepare()
        self._folding.step(writing, now)

    def close(self) -> None:
        """Sync and close. A snapshot process that still works is left to itself: it holds a lock."""
        self._settling.close()
        with self._lock:
            self._journal.close()

    def _tell(self, told: Told) -> None:
        for listener in self._listeners:
            listener(told)

    def _wait_synced(self, position: int) -> None:
        try:
            self._journal.wait_synced(position)
        except journal.JournalError as error:
            raise self._over(str(error)) from error

    def _begin_sync(self, ended: Callable[[], None]) -> bool:
        return self._journal.begin_sync(ended)

    def _check_disk(self) -> None:
        """What has failed for good stays so."""
        if self._journal.failure is not None:
            raise self._over(self._journal.failure)

    def _over(self, failure: str) -> Problem:
        """What is answered from now on; the first time, those are told who end the master."""
        if not self._failed:
            self._failed = True
            self._on_failure(failure)
        return UNAVAILABLE(f"Nothing can be acknowledged: {failure}.")


def _kernel_syncs() -> KernelSyncs | None:
    try:
        from master.store.kernel_syncs import KernelSyncs  # an old kernel refuses even this

        return KernelSyncs()
    except Exception as error:  # noqa: BLE001 - whatever it is, the journal is synced without
        log.debug("a thread syncs the journal: %s", error)
        return None
