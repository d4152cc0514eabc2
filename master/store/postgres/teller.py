"""Numbers what was committed, and tells this master's listeners of it, and of what others did: all in order.

Whoever has committed something takes care that it gets its number; one does it for all who wait meanwhile.
Then the database notifies the other masters, each of which has a thread that listens.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import groupby

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg_pool import PoolTimeout

from common.problems import Problem
from master.lifecycle.events import Event
from master.store.codec import CodecError
from master.store.postgres import facts, locks
from master.store.postgres.errors import first_line
from master.store.told import Listener, Told

log = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds after which it is looked without a notification whether something has happened."""
_AT_ONCE = 1000

Borrowed = Callable[[], AbstractContextManager[Connection[TupleRow]]]


class Teller:
    """Of one store. Any thread may use it."""

    def __init__(
        self, borrow: Borrowed, connect: Callable[[], Connection[TupleRow]], patience: float = 0.0
    ) -> None:
        """What is committed and has no number yet gets one now, and is told to nobody.

        `connect`: a connection of its own, for the thread that listens. `patience`: seconds that other
        masters get to end.
        """
        self._borrow, self._connect = borrow, connect
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._waiting: set[object] = set()
        self._own: dict[int, Event] = {}
        self._listeners: list[Listener] = []
        self._stop = threading.Event()
        self._speakers: set[int] = set()  # by the database's numbers, this process's connections
        self._at_work: int | None = None  # the thread that tells
        self._again = False
        self._serving = connect()
        self.first = locks.begin_to_serve(self._serving, patience)
        """Whether there was no other master when this one began."""
        self._number()
        with borrow() as connection:
            row = connection.execute("select coalesce(max(seq), 0) from happened").fetchone()
        self.history = 0 if row is None else int(row[0])
        """The number of the newest event that was told."""
        self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)
        self._thread.start()

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with all that is told from now on."""
        self._listeners.append(listener)

    def publish(self, own: Mapping[int, Event]) -> None:
        """`own` was committed, by the ids of the events: returns when it has been told.

        What a listener brings about, while it is told something, is told next.
        """
        if self._at_work == threading.get_ident():
            with self._lock:
                self._own.update(own)
            self._again = True
            return
        ticket = object()
        with self._lock:
            self._own.update(own)
            self._waiting.add(ticket)
        with self._turn:
            with self._lock:
                if ticket not in self._waiting:
                    return  # who was before told it along with its own
                self._waiting.clear()
            try:
                self._round(number=True)
            except (psycopg.Error, PoolTimeout) as error:
                # It is committed: it is told as soon as the database answers again.
                log.warning("what happened cannot be told yet: %s", error)

    def close(self) -> None:
        """Tell nothing more."""
        self._stop.set()
        try:
            with self._borrow() as connection:
                self._notify(connection)  # it need not wait for its next look
        except (psycopg.Error, PoolTimeout):
            log.debug("nobody is notified of the end")
        self._thread.join()

    def _round(self, *, number: bool) -> None:
        """Tell all that was committed; one thread at a time. `number`: there may be some without a number."""
        self._at_work, self._again = threading.get_ident(), number
        try:
            if not self._again:
                self._tell()
            while self._again:
                self._again = False
                self._number()
                self._tell()
        finally:
            self._at_work = None

    def _number(self) -> None:
        # All in one go: each question takes the way to the database and back, and others wait for the lock.
        with self._borrow() as connection, connection.pipeline(), connection.transaction():
            locks.take(connection, locks.NUMBERS)
            facts.number(connection)
            self._notify(connection)

    def _notify(self, connection: Connection[TupleRow]) -> None:
        self._speakers.add(connection.info.backend_pid)
        connection.execute("select pg_notify('ffrtmp_' || current_schema(), '')")

    def _tell(self) -> None:
        """All that has a number, up to the newest. One thread at a time."""
        while True:
            with self._borrow() as connection:
                found = facts.after(connection, self.history, _AT_ONCE)
            for told in self._in_deals(found):
                self.history = told.after
                for listener in self._listeners:
                    try:
                        listener(told)
                    except Problem as problem:  # it asked the database, which is gone
                        log.warning("a listener of the store failed: %s", problem)
                    except Exception:
                        log.exception("a listener of the store failed")
            if len(found) < _AT_ONCE:
                return

    def _in_deals(self, found: Sequence[facts.Fact]) -> Iterator[Told]:
        before = self.history
        for _, deal in groupby(found, key=lambda fact: fact.deal):
            some = list(deal)
            events = [self._event(fact) for fact in some]
            owners = {fact.job_id: fact.owner for fact in some if fact.job_id is not None}
            yield Told(before, some[-1].seq, events, some[0].actor, some[0].at, owners)
            before = some[-1].seq

    def _event(self, fact: facts.Fact) -> Event:
        with self._lock:
            own = self._own.pop(fact.id, None)
        return fact.event() if own is None else own

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                with self._serving as connection:
                    connection.execute(
                        "do $$ begin execute format('listen %I', 'ffrtmp_' || current_schema()); end $$"
                    )
                    while not self._stop.is_set():
                        heard = {each.pid for each in connection.notifies(timeout=PATIENCE, stop_after=1)}
                        # Who has published something here has told it, with all that others did before.
                        if not heard or heard - self._speakers:
                            self._catch_up(connection)
            except (psycopg.Error, CodecError) as error:
                if not self._stop.wait(PATIENCE):
                    log.warning(
                        "the database does not say what happens: %s; it is asked again", first_line(error)
                    )
                    self._reconnect()

    def _reconnect(self) -> None:
        try:
            self._serving = self._connect()
            locks.begin_to_serve(self._serving, 0.0)
        except psycopg.Error as error:
            log.debug("the database cannot be reached: %s", error)  # the next round says so

    def _catch_up(self, connection: Connection[TupleRow]) -> None:
        """Tell what others have done; number what a master left that was killed before it could."""
        row = connection.execute(
            "select exists (select 1 from happened where seq is null and at < now() - interval '1 second')"
        ).fetchone()
        with self._turn:
            self._round(number=row is not None and bool(row[0]))
