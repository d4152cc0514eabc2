"""Answers that depend on the disk, while nobody waits in a thread for it.

Who opens a ticket does not wait in its transactions any more: the ticket knows what the disk must
hold before the answer may be sent. A thread of its own syncs the journal for all of these. Those who
listen are told then, in the order in which it happened, where `Settling.subscribe` says: two threads that
run Python at once cost more than they do.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from dataclasses import dataclass

from common.problems import Problem
from master.store.told import Told

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Debt:
    """What has to be on disk before it is told."""

    position: int
    """Of the journal."""
    history: int
    """How many events there are then."""
    told: Told | None
    """What is to be told; None: nothing was recorded."""


class Ticket:
    """See the module. It belongs to the context that it was opened in."""

    __slots__ = ("_settling", "debt")

    def __init__(self, settling: Settling) -> None:
        self._settling = settling
        self.debt: Debt | None = None
        """The newest that the answer depends on; None: nothing that is not settled."""

    @property
    def history(self) -> int:
        """How many events are on disk when the answer is sent, as far as this ticket knows."""
        return 0 if self.debt is None else self.debt.history

    @property
    def settled(self) -> bool:
        """Whether the answer may be sent. Raises the problem to send in its place if the disk failed."""
        if self.debt is None or self.debt.position <= self._settling.position:
            return True
        if self._settling.failed is not None:
            raise self._settling.failed
        return False


OPEN: ContextVar[Ticket | None] = ContextVar("ticket", default=None)
"""The ticket of this context; None: its transactions wait."""


def at_once(what: Callable[[], None]) -> None:
    """Call it here and now."""
    what()


class Settling:
    """Pays debts, in its own thread, and knows how far they are paid."""

    def __init__(self, sync: Callable[[int], None], tell: Callable[[Told], None]) -> None:
        """`sync` returns when the disk has everything up to a position, or raises a Problem."""
        self._sync = sync
        self._tell = tell
        self._lock = threading.Lock()
        self._debts: queue.SimpleQueue[Debt | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._paid: deque[Debt] = deque()
        """What is on disk, and not told yet."""
        self._hearers: list[Callable[[], None]] = []
        self._call: Callable[[Callable[[], None]], None] = at_once
        self._context = copy_context()
        # Those who listen must not wait for the disk: what they see is settled with the next debts.
        self._context.run(OPEN.set, Ticket(self))
        self.position = 0
        """Up to here the journal is synced, and `history` says so."""
        self.history = 0
        """How many events the disk holds, as far as anybody was told."""
        self.failed: Problem | None = None
        """Why nothing more is settled."""

    def subscribe(self, hearer: Callable[[], None], call: Callable[[Callable[[], None]], None]) -> None:
        """Call `hearer` when there is more. `call` is given what is to be done then: the telling, and this;
        all of it must be done by one thread, in the order in which it came.
        """
        self._hearers.append(hearer)
        self._call = call

    def settle(self, position: int, history: int) -> None:
        """The journal is synced up to here."""
        with self._lock:
            self.position = max(self.position, position)
            self.history = max(self.history, history)

    def owe(self, ticket: Ticket, debt: Debt) -> None:
        """Settle a debt as soon as may be; its answer waits for it."""
        if debt.told is None and debt.position <= self.position:
            return
        ticket.debt = debt
        if self._thread is None:
            self._begin()
        self._debts.put(debt)

    def close(self) -> None:
        """Return when all that is owed is settled, or cannot be."""
        self._call = at_once
        self._hearers.clear()
        if self._thread is not None:
            self._debts.put(None)
            self._thread.join()
        self._tell_paid()

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sync", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        ended = False
        while not ended:
            due = self._due()
            ended = None in due
            debts = [debt for debt in due if debt is not None]
            try:
                if debts:
                    self._sync(max(debt.position for debt in debts))
                self._paid += debts
            except Problem as problem:
                self.failed = problem
            self._call(self._tell_paid)

    def _due(self) -> list[Debt | None]:
        due = [self._debts.get()]
        try:
            while True:
                due.append(self._debts.get_nowait())
        except queue.Empty:
            return due

    def _tell_paid(self) -> None:
        while self._paid:
            debt = self._paid.popleft()
            self.settle(debt.position, debt.history)
            if debt.told is not None:
                self._context.run(self._tell_of, debt.told)
        for hearer in self._hearers:
            hearer()

    def _tell_of(self, told: Told) -> None:
        try:
            self._tell(told)
        except Exception:
            log.exception("a listener of the store failed")
