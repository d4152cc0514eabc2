"""The history as rows: how events are written, numbered and read back.

An event is written by the transaction that it belongs to, and gets its number when that is committed: by
whoever holds the lock for it, for all that are committed by then. So numbers have no holes, whoever sees
one sees all before it, and what follows from something has a higher number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import TupleRow

from common.model import Actor
from common.timestamps import parse_timestamp, timestamp
from master.lifecycle.audit import Entry, entry
from master.lifecycle.events import Event, HistoryRewound
from master.store import codec
from master.store.formats import FORMAT, migrate

_INSERT: LiteralString = (
    "insert into happened "
    "(heard, at, by, address, event, job_id, node_id, token_id, owner, details, format, fact) "
    "select heard, at, %s, %s, event, job_id, node_id, token_id, owner, details, %s, fact "
    "from unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[], "
    "%s::text[], %s::text[], %s::text[]) with ordinality as fresh"
    "(heard, at, event, job_id, node_id, token_id, owner, details, fact, place) order by place returning id"
)
_NUMBER: LiteralString = (
    # Each number is one more than the one before, or than the length of a history that was lost.
    "with fresh as (select id, heard, row_number() over (order by id) as n from happened where seq is null), "
    "last as (select coalesce(max(seq), 0) as seq from happened), "
    "numbered as (select id, n + greatest("
    "last.seq, coalesce(max(heard + 1 - n) over (order by id), 0)) as seq from fresh, last) "
    "update happened set seq = numbered.seq from numbered where happened.id = numbered.id"
)
ENTRY: LiteralString = "seq, at, by, address, event, job_id, node_id, token_id, details"
"""The columns of an entry of the audit, as `entry_of` takes them."""
COPIED = (
    "seq", "at", "by", "address", "event", "job_id", "node_id", "token_id", "details", "format", "fact",
)  # fmt: skip
"""The columns of `copied`."""
_FACTS: LiteralString = "seq, id, deal, at, by, address, owner, job_id, format, fact"


@dataclass(frozen=True, slots=True)
class Fact:
    """An event with its number."""

    seq: int
    id: int
    deal: int
    """What was recorded together has the same."""
    at: datetime
    actor: Actor
    job_id: str | None
    owner: str | None
    written: int
    text: str

    def event(self) -> Event:
        """The event itself."""
        return codec.decode_event(migrate(json.loads(self.text), self.written))


def insert(
    connection: Connection[TupleRow], events: Sequence[Event], actor: Actor, owners: Mapping[str, str | None]
) -> list[int]:
    """Write events, in their order; their ids."""
    entries = [entry(0, actor, event) for event in events]
    columns: list[list[Any]] = [
        [event.heard if isinstance(event, HistoryRewound) else None for event in events],
        [event.at for event in events],
        [each["event"] for each in entries],
        [each["job_id"] for each in entries],
        [each["node_id"] for each in entries],
        [each["token_id"] for each in entries],
        [owners.get(each["job_id"] or "") for each in entries],
        [_details(each) for each in entries],
        [codec.encode_event(event) for event in events],
    ]
    values = (actor.name, actor.address, FORMAT, *columns)
    return [int(each[0]) for each in connection.execute(_INSERT, values).fetchall()]


def number(connection: Connection[TupleRow]) -> int:
    """Give all that is committed its number; how many got one. Under the lock `NUMBERS`."""
    return connection.execute(_NUMBER).rowcount


def after(connection: Connection[TupleRow], seq: int, limit: int) -> list[Fact]:
    """Up to `limit` events with numbers above `seq`, in their order."""
    found = connection.execute(
        f"select {_FACTS} from happened where seq > %s order by seq limit %s", (seq, limit)
    ).fetchall()
    return [
        Fact(seq_, id_, deal, at, Actor(by, address), job_id, owner, written, text)
        for seq_, id_, deal, at, by, address, owner, job_id, written, text in found
    ]


def copied(entry: Entry) -> tuple[Any, ...]:
    """An entry that comes from another store, as a row. Nobody is told of it any more: it has no event."""
    return (
        entry["seq"],
        parse_timestamp(entry["at"]),
        entry["by"] or "",
        entry["from"],
        entry["event"],
        entry["job_id"],
        entry["node_id"],
        entry["token_id"],
        _details(entry),
        FORMAT,
        "",
    )


def _details(entry: Entry) -> str:
    return json.dumps(entry["details"], separators=(",", ":"), ensure_ascii=False)


def entry_of(row: tuple[Any, ...]) -> Entry:
    """A row with the columns `ENTRY` as the audit shows it."""
    seq, at, by, address, event, job_id, node_id, token_id, details = row
    return {
        "seq": seq,
        "at": timestamp(at),
        "by": by or None,  # nobody noted who it was, long ago
        "from": address,
        "event": event,
        "job_id": job_id,
        "node_id": node_id,
        "token_id": token_id,
        "details": json.loads(details),
    }
