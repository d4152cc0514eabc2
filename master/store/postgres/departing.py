"""What a database says whose records were moved elsewhere: a table that no other one has."""

from __future__ import annotations

from psycopg import Connection
from psycopg.rows import TupleRow

from master.store.moving.left import Departure, shown


def departure(connection: Connection[TupleRow]) -> Departure | None:
    """Where the records went that were here; None if they are here, or if there never were any."""
    if not has_table(connection, "moved"):
        return None
    row = connection.execute("select target, at from moved").fetchone()
    return None if row is None else Departure(row[0], row[1])


def depart(connection: Connection[TupleRow], gone: Departure) -> None:
    """Say so."""
    with connection.transaction():
        connection.execute("create table moved (target text not null, at timestamptz not null)")
        connection.execute("insert into moved (target, at) values (%s, %s)", (gone.to, gone.at))


def refusal(connection: Connection[TupleRow]) -> str | None:
    """Why no master may use this database, and what to do; None if it may."""
    gone = departure(connection)
    if gone is None:
        return None
    return (
        f"the records in this database were moved to {gone.to} at {shown(gone.at)}; start the master "
        "there, or move them back: `ffrtmp migrate` (docs/scaling.md)"
    )


def has_table(connection: Connection[TupleRow], name: str) -> bool:
    """Whether there is a table with this name in the farm's schema."""
    row = connection.execute(
        "select exists (select 1 from pg_tables where schemaname = current_schema() and tablename = %s)",
        (name,),
    ).fetchone()
    return row is not None and bool(row[0])
