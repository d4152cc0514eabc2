"""Whose turn it is among submitters: the rounds of `master.store.rounds`, kept for all masters.

They are written after the claim is committed, by themselves and without a sync. So claims of one submitter do
not wait for each other; those that begin before that see the same round, and are counted one by one then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

from psycopg import Connection
from psycopg.rows import TupleRow

from common.model import Priority
from master.store.rounds import Rounds

NOBODYS = ""
"""The lane of jobs without an owner."""
_GIVEN: LiteralString = (
    "insert into rounds (priority, lane, next) select %(priority)s, %(lane)s, %(count)s + greatest("
    "(select max(next) - 1 from rounds where priority = %(priority)s), "
    "(select next from rounds where priority = %(priority)s and lane = %(lane)s), 0) "
    "on conflict (priority, lane) do update set next = greatest(excluded.next, rounds.next + %(count)s)"
)
_END: LiteralString = (
    "delete from rounds where not exists "
    "(select 1 from jobs where jobs.waits and jobs.priority = rounds.priority)"
)

Given = Mapping[tuple[int, str | None], int]
"""How many jobs nodes were given: by the rank of their priority, and their submitter."""


def lane_of(owner: str | None) -> str:
    """What a submitter's jobs are in."""
    return NOBODYS if owner is None else owner


def read(connection: Connection[TupleRow]) -> list[Rounds]:
    """The rounds as they are, by the rank of priorities; for this transaction only."""
    known: list[dict[str | None, int]] = [{} for _ in Priority]
    for rank, lane, following in connection.execute("select priority, lane, next from rounds").fetchall():
        known[rank][lane or None] = following
    return [Rounds(each) for each in known]


def write(connection: Connection[TupleRow], given: Given) -> None:
    """Nodes were given so many jobs."""
    counts = sorted((rank, lane_of(owner), count) for (rank, owner), count in given.items())
    with connection.cursor() as cursor:
        cursor.executemany(
            _GIVEN, [{"priority": rank, "lane": lane, "count": count} for rank, lane, count in counts]
        )


def end(connection: Connection[TupleRow]) -> None:
    """Where nobody waits any more, it begins anew."""
    connection.execute(_END)
