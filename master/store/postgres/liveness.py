"""Signs of life in tables that are not logged: they outlive a master, not a crash of the database.

After such a crash nothing is known, and whoever is asked about is taken as heard of now: so every lease and
every node gets a full term.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

from common.model import Now, Progress
from common.progress import after, aged
from master.store import codec
from master.store.postgres.borrowing import Borrow
from master.store.postgres.samples import TableSamples


class TableLiveness:
    """See `master.store.interface.Liveness`. Times are the database's, whatever the caller's clock says."""

    def __init__(self, borrow: Borrow) -> None:
        """`borrow`: what to ask with."""
        self._borrow = borrow
        self.samples = TableSamples(borrow)

    def hear(self, node_id: str, now: Now) -> None:
        """A node gave a sign of life."""
        with self._borrow(now) as (connection, at):
            connection.execute(
                "insert into heard_nodes (node_id, since, heard_at) values (%s, %s, %s) "
                "on conflict (node_id) do update set since = excluded.since, heard_at = excluded.heard_at",
                (node_id, at.wall, at.wall),
            )

    def last_heard(self, node_id: str) -> datetime | None:
        """When a node was heard last; None if nobody knows."""
        found = self._row("select heard_at from heard_nodes where node_id = %s", (node_id,))
        heard: datetime | None = None if found is None else found[0]
        return heard

    def silence(self, node_id: str, now: Now) -> float:
        """Seconds since a node was heard; asking starts the count."""
        return self._age(
            "select since from heard_nodes where node_id = %s",
            "insert into heard_nodes (node_id, since) values (%s, %s) on conflict do nothing",
            node_id,
            now,
        )

    def start_anew(self) -> None:
        """Nobody could be heard for a while, by no fault of theirs: each node and lease gets a full term."""
        with self._borrow(None) as (connection, at):
            connection.execute("update heard_nodes set since = %s", (at.wall,))
            connection.execute("update heard_leases set since = %s", (at.wall,))

    def renew(self, lease_id: str, now: Now) -> None:
        """A lease was heard of."""
        with self._borrow(now) as (connection, at):
            connection.execute(
                "insert into heard_leases (lease_id, since) values (%s, %s) on conflict (lease_id) "
                "do update set since = excluded.since",
                (lease_id, at.wall),
            )

    def lease_age(self, lease_id: str, now: Now) -> float:
        """Seconds since a lease was given or renewed; asking starts the count."""
        return self._age(
            "select since from heard_leases where lease_id = %s",
            "insert into heard_leases (lease_id, since) values (%s, %s) on conflict do nothing",
            lease_id,
            now,
        )

    def set_progress(self, lease_id: str, progress: Progress, now: Now) -> Progress:
        """The attempt with this lease has just said that it is so far; what is shown of it."""
        shown = after(progress, self.progress(lease_id, now))
        with self._borrow(now) as (connection, at):
            connection.execute(
                "insert into heard_leases (lease_id, since, told_at, progress) values (%s, %s, %s, %s) "
                "on conflict (lease_id) do update "
                "set told_at = excluded.told_at, progress = excluded.progress",
                (lease_id, at.wall, at.wall, codec.encode_value(shown, Progress)),
            )
        return shown

    def progress(self, lease_id: str, now: Now) -> Progress | None:
        """How far the attempt with this lease is by now, if it said so."""
        with self._borrow(now) as (connection, at):
            found = connection.execute(
                "select told_at, progress from heard_leases where lease_id = %s and progress is not null",
                (lease_id,),
            ).fetchone()
        if found is None:
            return None
        told: Progress = codec.decode_value(found[1], Progress)
        return aged(told, max(0.0, (at.wall - found[0]).total_seconds()))

    def forget_lease(self, lease_id: str) -> None:
        """The attempt ended."""
        self._row("delete from heard_leases where lease_id = %s returning lease_id", (lease_id,))

    def forget_node(self, node_id: str) -> None:
        """The node was removed."""
        self._row("delete from heard_nodes where node_id = %s returning node_id", (node_id,))
        self.samples.forget(node_id)

    def _age(self, question: LiteralString, beginning: LiteralString, name: str, now: Now) -> float:
        with self._borrow(now) as (connection, at):
            found = connection.execute(question, (name,)).fetchone()
            if found is None:
                connection.execute(beginning, (name, at.wall))
                return 0.0
        return max(0.0, float((at.wall - found[0]).total_seconds()))

    def _row(self, question: LiteralString, values: Sequence[Any]) -> tuple[Any, ...] | None:
        with self._borrow(None) as (connection, _):
            return connection.execute(question, values).fetchone()
