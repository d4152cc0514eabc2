"""Whose turn it is among submitters: the rounds of `master.store.rounds`, kept for all masters.

They are written after the claim is committed, by themselves and without a sync. So claims of one submitter do
not wait for each other; those that begin before that see the same round, and are counted one by one then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import LiteralString

from psycopg import Connection
from psycopg.rows import TupleRow

from common.model import Priority
from master.store.rounds import Rounds

NOBODYS = ""
"""The lane of jobs without an owner."""
_GIVEN: LiteralString = (
    # Several that saw the same round add up: who got more than one turn in it has to wait for as many.
    "insert into rounds (priority, lane, next, now) "
    "values (%(rank)s, %(lane)s, %(first)s + %(count)s, %(last)s) on conflict (priority, lane) do update "
    "set next = greatest(rounds.next, %(first)s) + %(count)s, now = greatest(rounds.now, excluded.now)"
)
_END: LiteralString = (
    "delete from rounds where not exists "
    "(select 1 from jobs where jobs.waits and jobs.priority = rounds.priority)"
)


@dataclass(slots=True)
class Given:
    """What nodes were given of a submitter's jobs."""

    first: int
    """The round of the first of them."""
    last: int
    count: int = 1


Turns = Mapping[tuple[int, str | None], Given]
"""By the rank of the jobs' priority, and their submitter."""


def lane_of(owner: str | None) -> str:
    """What a submitter's jobs are in."""
    return NOBODYS if owner is None else owner


def read(connection: Connection[TupleRow]) -> list[Rounds]:
    """The rounds as they are, by the rank of priorities; for this transaction only."""
    now = [0 for _ in Priority]
    known: list[dict[str | None, int]] = [{} for _ in Priority]
    for rank, lane, following, last in connection.execute(
        "select priority, lane, next, now from rounds"
    ).fetchall():
        known[rank][lane or None] = following
        now[rank] = max(now[rank], last)
    return [Rounds(*each) for each in zip(now, known, strict=True)]


def write(connection: Connection[TupleRow], turns: Turns) -> None:
    """Nodes were given these."""
    # In one order, so that no two wait for each other.
    named = sorted(turns.items(), key=lambda item: (item[0][0], lane_of(item[0][1])))
    values = [
        {"rank": rank, "lane": lane_of(owner), "first": each.first, "last": each.last, "count": each.count}
        for (rank, owner), each in named
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_GIVEN, values)


def end(connection: Connection[TupleRow]) -> None:
    """Where nobody waits any more, it begins anew."""
    connection.execute(_END)
