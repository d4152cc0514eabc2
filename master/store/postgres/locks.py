"""Locks of the database that stand for no row. They are let go when the transaction ends, unless it is said.

They are taken in the order in which they stand here, and before rows of jobs are locked: so that no two
transactions wait for each other. Where that cannot be, `attempt` does not wait.
"""

from __future__ import annotations

import time

from psycopg import Connection
from psycopg.rows import TupleRow

MIGRATIONS = 1
GIVING = 2
"""Shared by whoever gives jobs to nodes; alone by whoever pauses the queue."""
LINKS = 3
"""Whoever decides on a job that others depend on, or that belongs to a family: one at a time."""
NUMBERS = 4
"""Whoever numbers what happened."""
PLACES = 5
"""Whoever takes places in the queue: see `take_places` in the tables."""
SERVING = 6
"""Shared by all masters, each as long as it lives and is connected."""

_LOOK = 0.1
"""Seconds between two looks whether the others have gone."""
_SPACE = "hashtext(current_schema())"
"""Several farms may share a database, each with a schema of its own."""
_NAMED = "hashtextextended(current_schema() || '/' || %s, 0)"
"""Other numbers than those of `take_name`, which begin another way."""


def take(connection: Connection[TupleRow], lock: int, *, shared: bool = False) -> None:
    """Wait for a lock."""
    how = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    connection.execute(f"select {how}({_SPACE}, %s)".encode(), (lock,))


def attempt(connection: Connection[TupleRow], lock: int) -> bool:
    """Take a lock if nobody has it."""
    row = connection.execute(f"select pg_try_advisory_xact_lock({_SPACE}, %s)".encode(), (lock,)).fetchone()
    return row is not None and bool(row[0])


def take_name(connection: Connection[TupleRow], name: str) -> None:
    """Wait for the lock of a name, such as a client's key."""
    connection.execute(
        "select pg_advisory_xact_lock(hashtextextended(current_schema() || ':' || %s, 0))", (name,)
    )


def take_for_long(connection: Connection[TupleRow], name: str) -> None:
    """Wait for the lock of a name, and hold it until `let_go`, or as long as the connection lasts."""
    connection.execute(f"select pg_advisory_lock({_NAMED})".encode(), (name,))


def attempt_for_long(connection: Connection[TupleRow], name: str) -> bool:
    """Take such a lock if nobody has it."""
    row = connection.execute(f"select pg_try_advisory_lock({_NAMED})".encode(), (name,)).fetchone()
    return row is not None and bool(row[0])


def let_go(connection: Connection[TupleRow], name: str) -> bool:
    """Whether it was held until now."""
    row = connection.execute(f"select pg_advisory_unlock({_NAMED})".encode(), (name,)).fetchone()
    return row is not None and bool(row[0])


def begin_to_serve(connection: Connection[TupleRow], patience: float) -> bool:
    """Hold `SERVING` as long as this connection lasts; whether nobody else did.

    `LockNotAvailable` if somebody keeps masters away. `patience`: seconds that others get to end, such as a
    master that was just killed; unless several may be.
    """
    deadline = time.monotonic() + patience
    while not (alone := _alone(connection)) and time.monotonic() < deadline:
        if connection.execute("select 1 from farm where has_directory").fetchone() is not None:
            break
        time.sleep(_LOOK)
    connection.execute(f"select pg_advisory_lock_shared({_SPACE}, %s)".encode(), (SERVING,))
    if alone:
        connection.execute(f"select pg_advisory_unlock({_SPACE}, %s)".encode(), (SERVING,))
    return alone


def keep_masters_away(connection: Connection[TupleRow], patience: float) -> bool:
    """Hold `SERVING` alone as long as this connection lasts; False if a master still has it then.

    `patience`: seconds that it gets to end.
    """
    deadline = time.monotonic() + patience
    while not (alone := _alone(connection)) and time.monotonic() < deadline:
        time.sleep(_LOOK)
    return alone


def _alone(connection: Connection[TupleRow]) -> bool:
    row = connection.execute(f"select pg_try_advisory_lock({_SPACE}, %s)".encode(), (SERVING,)).fetchone()
    return row is not None and bool(row[0])
