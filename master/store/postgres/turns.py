"""Who is alone at something, and who leads a chore: by locks that last longer than a transaction.

They belong to connections of their own, so they end with the master that has them, however that ends.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

from common.problems import UNAVAILABLE
from master.store.exclusion import Exclusion
from master.store.postgres import locks
from master.store.postgres.errors import first_line, translated

log = logging.getLogger(__name__)

Pool = ConnectionPool[Connection[TupleRow]]


class Turns:
    """One at a time over all masters; see `master.store.interface.Store.exclusive`."""

    def __init__(self, pool: Pool) -> None:
        """`pool`: not that of the transactions. Whoever is alone needs one of these, too, and may not have to
        wait for those who wait for him.
        """
        self._pool = pool
        self._here = Exclusion()  # so those of this process who wait need no connection each
        self._local = threading.local()

    @contextmanager
    def exclusive(self, name: str) -> Iterator[None]:
        """Alone under `name` until this ends; in the same thread, once more, too.

        `unavailable` if the database cannot be asked, or says at the end that others may have been let in.
        """
        held: list[str] = self._local.__dict__.setdefault("held", [])
        if name in held:
            yield
            return
        with self._here(name), self._connection() as connection:
            with translated():
                locks.take_for_long(connection, name)
            held.append(name)
            try:
                yield
            finally:
                held.remove(name)
                with translated():
                    kept = locks.let_go(connection, name)
            if not kept:
                raise UNAVAILABLE("The database lost a lock meanwhile. Ask again.")

    @contextmanager
    def _connection(self) -> Iterator[Connection[TupleRow]]:
        """A connection; of one thread always the same, whatever number of names it is alone under."""
        current: Connection[TupleRow] | None = getattr(self._local, "connection", None)
        if current is not None:
            yield current
            return
        with translated():
            current = self._pool.getconn()
        self._local.connection = current
        try:
            yield current
        finally:
            self._local.connection = None
            self._pool.putconn(current)


class Lead:
    """Which chores are this master's; see `master.store.interface.Store.leads`."""

    def __init__(self, connect: Callable[[], Connection[TupleRow]]) -> None:
        """`connect`: a connection of its own."""
        self._connect = connect
        self._connection: Connection[TupleRow] | None = None
        self._guard = threading.Lock()
        self._ours: set[str] = set()

    def __call__(self, task: str) -> bool:
        """Whether this master does `task` just now: asked at each look. Not while the database is away."""
        with self._guard:
            try:
                return self._ask(task)
            except psycopg.Error as error:
                log.debug("nobody knows who does %s: %s", task, first_line(error))
                self._drop()
                return False

    def close(self) -> None:
        """Others may do it all from now on."""
        with self._guard:
            self._drop()

    def _ask(self, task: str) -> bool:
        if self._connection is None:
            self._connection = self._connect()
        if task in self._ours:
            self._connection.execute("select 1")  # as long as it answers, it is still ours
        elif locks.attempt_for_long(self._connection, f"lead:{task}"):
            self._ours.add(task)
            log.debug("this master does %s now", task)
        return task in self._ours

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._ours.clear()
