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
from collections.abc import Callable, Sequence
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from typing import Protocol

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


class EventLoop(Protocol):
    """As much of the worker's loop as is needed here."""

    def call(self, what: Callable[[], None]) -> None:
        """Make this call in the loop; any thread may ask for it."""

    def watch(self, fd: int, events: int, handler: Callable[[], None]) -> None:
        """Call `handler` in the loop whenever `fd` is ready for one of `events`."""


def _at_once(what: Callable[[], None]) -> None:
    what()


class Settling:
    """Pays debts, in its own thread, and knows how far they are paid."""

    def __init__(
        self,
        sync: Callable[[int], None],
        tell: Callable[[Told], None],
        begin: Callable[[Callable[[], None]], bool] = lambda _: False,
    ) -> None:
        """`sync` returns when the disk has everything up to a position, or raises a Problem. `begin` does not
        wait for that, and has something called when it has ended; False: it cannot do that now.
        """
        self._sync = sync
        self._tell = tell
        self._begin_sync = begin
        self._lock = threading.Lock()
        self._debts: queue.SimpleQueue[Debt | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._paid: deque[Debt] = deque()
        """What is on disk, and not told yet."""
        self._hearers: list[Callable[[], None]] = []
        self._loop: EventLoop | None = None
        self._call: Callable[[Callable[[], None]], None] = _at_once
        self._owed: list[Debt] = []
        """In the loop: what the next sync is for."""
        self._under_way = False
        """In the loop: whether there is one."""
        self._in_kernel: list[Debt] = []
        """What that is for, if the kernel does it."""
        self._reached = 0
        """The disk has everything up to here; it may not be told yet."""
        self._context = copy_context()
        # Those who listen must not wait for the disk: what they see is settled with the next debts.
        self._context.run(OPEN.set, Ticket(self))
        self.position = 0
        """Up to here the journal is synced, and `history` says so."""
        self.history = 0
        """How many events the disk holds, as far as anybody was told."""
        self.failed: Problem | None = None
        """Why nothing more is settled."""

    def subscribe(self, hearer: Callable[[], None], loop: EventLoop | None) -> None:
        """Call `hearer` when there is more, in the `loop`, if there is one. From then on tickets belong to
        its thread, and all that is told to those who listen is told there, too.
        """
        self._hearers.append(hearer)
        if loop is not None:
            self._loop, self._call = loop, loop.call

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
        if self._loop is None:
            self._put([debt])
            return
        self._owed.append(debt)
        if not self._under_way:
            self._next()

    def close(self) -> None:
        """Return when all that is owed is settled, or cannot be."""
        # The loop is over.
        self._call, self._begin_sync = _at_once, lambda _: False
        self._hearers.clear()
        if self._in_kernel:
            self._end_round()
        if self._thread is not None:
            self._debts.put(None)
            self._thread.join()
        self._tell_paid()

    def _next(self) -> None:
        """Have the disk take all that is owed by now: the kernel does it alone, or the thread."""
        debts, self._owed = self._owed, []
        self._paid += (debt for debt in debts if debt.position <= self._reached)
        debts = [debt for debt in debts if debt.position > self._reached]
        if not debts:
            return
        self._under_way = True
        if self._begin_sync(lambda: self._call(self._end_round)):
            self._in_kernel = debts
        else:
            self._put(debts)

    def _end_round(self) -> None:
        """In the loop: the disk has what it was to take, or has failed."""
        debts, self._in_kernel = self._in_kernel, []
        self._pay(debts)
        self._under_way = False
        self._next()  # first: while the disk is at it, those who listen are told
        self._tell_paid()

    def _pay(self, debts: Sequence[Debt]) -> None:
        """Wait for the disk, if it has not taken all of that yet."""
        if not debts:
            return
        last = max(debt.position for debt in debts)
        try:
            self._sync(last)
        except Problem as problem:
            self.failed = problem
        else:
            self._reached = max(self._reached, last)
            self._paid += debts

    def _put(self, debts: Sequence[Debt]) -> None:
        """Let the thread do it."""
        if self._thread is None:
            self._begin()
        for debt in debts:
            self._debts.put(debt)

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
            self._pay(debts)
            self._call(self._end_round if self._loop is not None else self._tell_paid)

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
