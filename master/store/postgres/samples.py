"""How busy each node was lately, as any master heard it: a bounded number of rows for each."""

from __future__ import annotations

from common.model import Load
from master.store import codec
from master.store.postgres.borrowing import Borrow
from master.store.samples import APART, KEPT, Sample


class TableSamples:
    """See `master.store.interface.SampleBook`."""

    def __init__(self, borrow: Borrow) -> None:
        """`borrow`: what to ask with."""
        self._borrow = borrow

    def add(self, node_id: str, taken: Sample) -> None:
        """The newest of a node; it is kept if the last kept one is old enough."""
        text = codec.encode_value(taken, Sample)
        with self._borrow(None) as (connection, _):
            connection.execute(
                "insert into newest_samples (node_id, sample) values (%s, %s) "
                "on conflict (node_id) do update set sample = excluded.sample",
                (node_id, text),
            )
            kept = connection.execute(
                "insert into samples (node_id, mono, sample) select %s, %s, %s where not exists "
                "(select 1 from samples where node_id = %s and mono > %s) on conflict do nothing",
                (node_id, taken.mono, text, node_id, taken.mono - APART),
            )
            if kept.rowcount:
                connection.execute(
                    "delete from samples where node_id = %s and mono <= (select mono from samples "
                    "where node_id = %s order by mono desc offset %s limit 1)",
                    (node_id, node_id, KEPT),
                )

    def load(self, node_id: str) -> Load | None:
        """The newest load of a node; None if it did not say."""
        with self._borrow(None) as (connection, _):
            found = connection.execute(
                "select sample from newest_samples where node_id = %s", (node_id,)
            ).fetchall()
        newest = _sample(found[0][0]) if found else None
        return None if newest is None or newest.load == Load() else newest.load

    def of(self, node_id: str) -> list[Sample]:
        """What is kept of a node, oldest first."""
        with self._borrow(None) as (connection, _):
            found = connection.execute(
                "select sample from samples where node_id = %s order by mono", (node_id,)
            ).fetchall()
        return [_sample(text) for (text,) in found]

    def forget(self, node_id: str) -> None:
        """The node was removed."""
        with self._borrow(None) as (connection, _):
            connection.execute("delete from samples where node_id = %s", (node_id,))
            connection.execute("delete from newest_samples where node_id = %s", (node_id,))


def _sample(text: str) -> Sample:
    found: Sample = codec.decode_value(text, Sample)
    return found
