"""The audit trail, read from the table of what happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

from master.store.postgres import facts
from master.store.postgres.borrowing import Borrow
from master.store.trail import Onward, Page, Wanted

_AT_ONCE = 10_000
"""Old events that are removed at once."""
_PLACES: dict[str, LiteralString] = {
    "by": "by = %s",
    "event": "event = %s",
    "job_id": "job_id = %s",
    "node_id": "node_id = %s",
}


class TableTrail:
    """See `master.store.interface.History`."""

    def __init__(self, borrow: Borrow) -> None:
        """`borrow`: what to ask with."""
        self._borrow = borrow

    def page(self, before: int, limit: int, wanted: Wanted) -> Page:
        """Up to `limit` entries with numbers below `before`, newest first."""
        where, values = _filter(wanted)
        found = self._rows(
            f"select {facts.ENTRY} from happened where seq < %s {where} order by seq desc limit %s",
            [before, *values, limit + 1],
        )
        entries = [facts.entry_of(row) for row in found[:limit]]
        return Page(entries, entries[-1]["seq"] if len(found) > limit and entries else None, ())

    def after(self, seq: int, upto: int, limit: int, wanted: Wanted) -> Onward:
        """Up to `limit` entries with numbers above `seq`, and up to `upto`, oldest first."""
        where, values = _filter(wanted)
        found = self._rows(
            f"select {facts.ENTRY} from happened where seq > %s and seq <= %s {where} order by seq limit %s",
            [seq, upto, *values, limit + 1],
        )
        entries = [facts.entry_of(row) for row in found[:limit]]
        first = self._rows("select min(seq) from happened", [])[0][0] or 0
        lost = min(first - 1, upto) if first > seq + 1 else None
        return Onward(entries, entries[-1]["seq"] if len(found) > limit and entries else upto, lost)

    def remove_before(self, moment: datetime) -> int:
        """Let go of what happened before `moment`, but for the newest; how many entries that were."""
        removed, last = 0, _AT_ONCE
        while last == _AT_ONCE:
            with self._borrow(None) as (connection, _):
                last = connection.execute(
                    "delete from happened where id in (select id from happened where at < %s "
                    "and seq < (select max(seq) from happened) order by at limit %s)",
                    (moment, _AT_ONCE),
                ).rowcount
            removed += last
        return removed

    def _rows(self, question: LiteralString, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._borrow(None) as (connection, _):
            return connection.execute(question, values).fetchall()


def _filter(wanted: Wanted) -> tuple[LiteralString, list[Any]]:
    """What else the rows must be, and the values for it."""
    wheres: list[LiteralString] = [_PLACES[name] for name in wanted.values]
    values: list[Any] = list(wanted.values.values())
    if wanted.since is not None:
        wheres.append("at >= %s")
        values.append(wanted.since)
    if wanted.until is not None:
        wheres.append("at < %s")
        values.append(wanted.until)
    return "".join([f"and {where} " for where in wheres]), values
