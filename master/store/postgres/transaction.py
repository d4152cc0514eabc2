"""A transaction: what a verb may ask of the store, and the one way to change it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from psycopg import Connection
from psycopg.rows import TupleRow

from common.model import Actor, FarmState, Job, Node, Now, Token
from master.lifecycle.events import Event
from master.store.interface import Held
from master.store.postgres import locks, rows
from master.store.postgres.errors import collided
from master.store.postgres.kinds import Kinds
from master.store.postgres.rows import COLUMNS, JobRow, Row
from master.store.postgres.writing import Writing


class PostgresTransaction(Writing):
    """See `master.store.interface.Transaction`.

    What is read is what was committed when it was read (the isolation is READ COMMITTED). What a rule
    decides on is held before, by locks of its rows; and what is written says which version it saw.
    """

    def __init__(
        self, connection: Connection[TupleRow], now: Now, farm: Row[FarmState], actor: Actor, kinds: Kinds
    ) -> None:
        """`kinds`: what this process knows of them."""
        super().__init__(connection, now, farm)
        self.actor = actor
        self.happened: dict[int, Event] = {}
        """The events that were recorded, by their ids."""
        self._broken = False
        self._kinds = kinds
        self._held: set[str] = set()  # jobs whose rows are locked
        self._nodes_held: set[str] = set()
        self._passed: set[str] = set()  # jobs that somebody else is giving away
        self._reserved: dict[int, JobRow] = {}  # by kind: what stands for it in their place
        self._locks: set[int] = set()
        self._lanes, self._rounds = (), []
        self.given = {}

    def hold(self, records: Sequence[Held]) -> list[Held]:
        """The records as they are now, in the same order; nobody else changes them before this has ended.

        `unavailable` if one has gone.
        """
        found: dict[str, Held] = {}
        for each in records:
            if isinstance(each, Job):
                self._hold_jobs([job for job in records if isinstance(job, Job)])
                found = {record.id: self._jobs[record.id].record for record in records}
                break
            if isinstance(each, Node):
                self._hold_node(each.id)
                found[each.id] = self._nodes[each.id].record
            elif isinstance(each, Token):
                if not self._read_tokens("where id = %s for no key update", (each.id,)):
                    raise collided(f"Token {each.id}")
                found[each.id] = self._tokens[each.id].record
            else:
                if not self._read_webhooks("where id = %s for no key update", (each.id,)):
                    raise collided(f"Webhook {each.id}")
                found[each.id] = self._webhooks[each.id].record
        return [found[each.id] for each in records]

    def record(self, events: Sequence[Event]) -> None:
        """Keep `events`: all, or none, and `unavailable`; then nothing of this transaction is kept."""
        self.check_whole()
        self._broken = True
        super().record(events)
        self._broken = False

    def check_whole(self) -> None:
        """`unavailable` if something was kept by half, whoever has caught that."""
        if self._broken:
            raise collided("What this is about")

    def _hold_jobs(self, jobs: Sequence[Job]) -> None:
        """Those that others depend on, or that belong to a family, under the lock for all of these."""
        ids = sorted({job.id for job in jobs} - self._held)
        if not ids:
            return
        known = {job.id: self._jobs[job.id].linked for job in jobs if job.id in self._jobs}
        if any(known.get(job.id, rows.is_linked(job)) for job in jobs):
            self._take_links()
        found = self._read_jobs("where id = any(%s) order by id for no key update", (ids,))
        if len(found) != len(ids):
            raise collided("A job")
        self._held.update(ids)
        if locks.LINKS in self._locks or not any(self._jobs[job_id].linked for job_id in ids):
            return
        # It came to be linked while its row was waited for. Who has the lock may wait for that row in turn.
        if not locks.attempt(self._connection, locks.LINKS):
            raise collided("A job")
        self._locks.add(locks.LINKS)

    def _hold_node(self, node_id: str) -> None:
        if node_id in self._nodes_held:
            return
        self._take(locks.GIVING, shared=True)
        if not self._read_nodes("where id = %s for no key update", (node_id,)):
            raise collided(f"Node {node_id}")
        self._nodes_held.add(node_id)
        # Under the lock: whether the queue is paused is certain from now on.
        self._farm = rows.row(self._all(f"select {COLUMNS} from farm")[0], FarmState)

    def _take_links(self) -> None:
        if locks.LINKS in self._locks:
            return
        self._take(locks.LINKS)
        # What was read before may be out of date; what is held is not.
        self._forget_jobs(set(self._jobs) - self._held)

    def _take(self, lock: int, *, shared: bool = False) -> None:
        if lock not in self._locks:
            locks.take(self._connection, lock, shared=shared)
            self._locks.add(lock)

    def _take_name(self, name: str) -> None:
        locks.take_name(self._connection, name)

    def held(self, node_id: str) -> tuple[Job, ...]:
        """The jobs that run on a node, oldest first."""
        return tuple(self._read_jobs("where node_id = %s order by seq", (node_id,)))

    def standings(self) -> Iterator[tuple[Node, tuple[Job, ...]]]:
        """All nodes, each with the jobs that run on it."""
        held: dict[str, list[Job]] = {}
        for job in self.running():
            if job.lease is not None:
                held.setdefault(job.lease.node_id, []).append(job)
        return ((node, tuple(held.get(node.id, ()))) for node in self.nodes())
