"""How the master stands, in numbers: what it costs does not grow with the number of jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.model import JobStatus, NodeStatus, Now, Priority
from master.service import glance
from master.service.farm import Farm

_TAKING = (NodeStatus.AVAILABLE, NodeStatus.BUSY)


@dataclass(frozen=True, slots=True)
class Status:
    """All of it."""

    at: Now
    """The moment that it is told of."""
    uptime: float
    """Seconds."""
    paused: bool
    jobs: Mapping[JobStatus, int]
    parts: Mapping[JobStatus, int]
    """How many of these are parts of others."""
    waiting: Mapping[Priority, glance.Depth]
    nodes: Mapping[NodeStatus, int]
    used: int
    """Slots that are taken of nodes that are given jobs."""
    free: int
    stuck: Sequence[glance.Stuck]


def get(farm: Farm) -> Status:
    """How the master stands now."""
    now = farm.clock()
    with farm.store.transaction(now) as tx:
        taken = [(node, node.slots_taken(held)) for node, held in tx.standings()]
        statuses = Counter(node.status(slots) for node, slots in taken)
        given = [(node, slots) for node, slots in taken if node.status(slots) in _TAKING]
        return Status(
            at=now,
            uptime=max(0.0, now.mono - farm.started.mono),
            paused=tx.farm().paused,
            jobs={status: tx.count(status) for status in JobStatus},
            parts={status: tx.count(status) - tx.count(status, whole=True) for status in JobStatus},
            waiting={priority: glance.depth(tx, priority) for priority in Priority},
            nodes={status: statuses[status] for status in NodeStatus},
            used=sum(slots for _, slots in given),
            free=sum(max(0, node.max_concurrent_jobs - slots) for node, slots in given),
            stuck=glance.stuck(farm, tx),
        )
