"""How the farm stands now, for who measures it: its cost does not grow with the number of jobs."""

from __future__ import annotations

from common.model import Job, JobStatus, Node, Now, Priority
from master.files.room import space_of
from master.metrics import Files, Gauges, NodeGauges
from master.service import glance
from master.service.farm import Farm


def get(farm: Farm) -> Gauges:
    """All that is told of it."""
    now = farm.clock()
    with farm.store.transaction(now) as tx:
        jobs = {status: tx.count(status) for status in JobStatus}
        waiting = {priority: glance.depth(tx, priority) for priority in Priority}
        paused, history = tx.farm().paused, tx.history()
        standings = list(tx.standings())
    disk = space_of(farm.config.farm_dir)
    shelf = farm.shelf
    return Gauges(
        jobs=jobs,
        waiting={priority: depth.jobs for priority, depth in waiting.items()},
        oldest={priority: age for priority, depth in waiting.items() if (age := depth.age(now)) is not None},
        paused=paused,
        nodes=[_of_node(farm, node, held, now) for node, held in standings],
        parked=len(farm.waiters),
        streams=farm.live.count,
        files=Files(shelf.store.index.count, shelf.store.index.size, shelf.room.quota),
        disk_size=disk.size,
        disk_free=disk.free,
        history=history,
        certificate_expiry=farm.certificate_expiry,
    )


def _of_node(farm: Farm, node: Node, held: tuple[Job, ...], now: Now) -> NodeGauges:
    liveness = farm.store.liveness
    progress = [liveness.progress(job.lease.lease_id, now) for job in held if job.lease is not None]
    rates = [each.fps for each in progress if each is not None and each.fps is not None]
    taken = node.slots_taken(held)
    heard = liveness.last_heard(node.id) or node.last_seen
    return NodeGauges(node, len(held), node.status(taken), taken, heard, sum(rates) if rates else None)
