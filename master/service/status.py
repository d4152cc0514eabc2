"""How the master stands, in numbers: what it costs does not grow with the number of jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.model import Constraints, JobStatus, NodeStatus, Now, Priority
from master import scheduler
from master.service.farm import Farm
from master.store.memory import Transaction

MOST_KINDS = 100
"""Kinds of waiting jobs that are looked at."""
_TAKING = (NodeStatus.AVAILABLE, NodeStatus.BUSY)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The jobs of one priority that wait for a node."""

    jobs: int
    oldest: float | None
    """Seconds since the first of them was submitted; None if none waits."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """Waiting jobs of one kind that no node can take as things are."""

    job_id: str
    jobs: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """All of it."""

    uptime: float
    """Seconds."""
    paused: bool
    jobs: Mapping[JobStatus, int]
    waiting: Mapping[Priority, Waiting]
    nodes: Mapping[NodeStatus, int]
    used: int
    """Slots that are taken of nodes that are given jobs."""
    free: int
    stuck: Sequence[Stuck]


def get(farm: Farm) -> Status:
    """How the master stands now."""
    now = farm.clock()
    with farm.store.transaction(now) as tx:
        taken = [(node, node.slots_taken(held)) for node, held in tx.standings()]
        statuses = Counter(node.status(slots) for node, slots in taken)
        given = [(node, slots) for node, slots in taken if node.status(slots) in _TAKING]
        return Status(
            uptime=max(0.0, now.mono - farm.started.mono),
            paused=tx.farm().paused,
            jobs={status: tx.count(status) for status in JobStatus},
            waiting={priority: _waiting(tx, priority, now) for priority in Priority},
            nodes={status: statuses[status] for status in NodeStatus},
            used=sum(slots for _, slots in given),
            free=sum(max(0, node.max_concurrent_jobs - slots) for node, slots in given),
            stuck=_stuck(farm, tx),
        )


def _waiting(tx: Transaction, priority: Priority, now: Now) -> Waiting:
    count, first = tx.waiting(priority)
    oldest = None if first is None else max(0.0, (now.wall - first.created_at).total_seconds())
    return Waiting(count, oldest)


def _stuck(farm: Farm, tx: Transaction) -> list[Stuck]:
    reasons: dict[Constraints, str] = {}
    nodes = tx.nodes()
    return [
        Stuck(job.id, count, farm.job_view(tx, job, reasons).pending_reason)
        for job, count in tx.kinds(MOST_KINDS)
        if not scheduler.present(job.constraints, nodes)
    ]
