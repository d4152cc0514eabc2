"""The rules of `master.sharing` and the parts that they are asked about, of files that are encoded in chunks.

Nothing is kept for it: paces follow from the attempts of the file's own parts, and from what runs now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from common.inputs import stored_file
from common.model import Job, Node, NodeStatus, Outcome, Stage
from master import scheduler, sharing
from master.lifecycle import twins
from master.service.farm import Farm
from master.store.interface import Transaction
from master.weights import weigh

_SHARED = (Stage.LOOK, Stage.CHUNK)
"""Of these there are many, any of which a node can take."""
SILENT = 0.5
"""Of a lease: if nothing was heard of an attempt for so long, a heartbeat, which renews it, did not come."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of one file that do the same."""

    waiting: list[sharing.Waiting]
    running: list[sharing.Running]
    known: dict[str, float]
    """Paces, by node."""


def instead(farm: Farm, tx: Transaction, node: Node, chosen: Job) -> Job | None:
    """The part that `node` should run, where `chosen` is next in the queue; None: none of that file.

    What is no chunk is what it is, but for the sound (see `_is_anothers`).
    """
    if chosen.parent_id is not None and chosen.stage in _SHARED:
        return _best(farm, tx, node, tx.children(chosen.parent_id), chosen.stage)
    if chosen.parent_id is not None and _is_anothers(tx, node, chosen):
        family = tx.children(chosen.parent_id)
        others = (_best(farm, tx, node, family, stage) for stage in _SHARED)
        return next((each for each in others if each is not None), chosen)
    return chosen


def _best(farm: Farm, tx: Transaction, node: Node, family: Sequence[Job], stage: Stage) -> Job | None:
    """The part with this stage that `node` should run; None: none."""
    parts = _parts(farm, tx, family, stage)
    wanted = sharing.take(node.id, parts.waiting, parts.running, parts.known)
    return None if wanted is None else tx.job(wanted.job_id)


def _is_anothers(tx: Transaction, node: Node, sound: Job) -> bool:
    """Whether it is a sound, and better left to the node that planned the file, while there is other work.

    It is encoded from the whole input, and that node has got all of it out of the file store before. It
    has to be at work on this file, or to have room.
    """
    if sound.stage is not Stage.SOUND or sound.input is None or stored_file(sound.input) is None:
        return False
    whole = None if sound.parent_id is None else tx.job(sound.parent_id)
    if whole is None:
        return False
    planned = [each.node_id for each in whole.attempts if each.outcome is Outcome.DIVIDED]
    planner = tx.node(planned[-1]) if planned and planned[-1] != node.id else None
    if planner is None:
        return False
    held = tx.held(planner.id)
    if planner.status(planner.slots_taken(held)) is NodeStatus.AVAILABLE:
        return True
    busy = planner.status(0) is NodeStatus.AVAILABLE
    return busy and any(job.parent_id == sound.parent_id for job in held)


def slow(farm: Farm, tx: Transaction, node: Node) -> Job | None:
    """The part that `node`, which is idle and has nothing else, should run once more; None: none.

    It runs, and gets a twin; or it waits, was left to its twin, and that is slow. Only where nothing else of
    that file waits for a node: that is better done first.
    """
    at_work = [job for job in tx.running_parts() if is_shared(job)]
    files = {job.parent_id: job for job in sorted(at_work, key=scheduler.order, reverse=True)}
    for parent_id, first in sorted(files.items(), key=lambda each: scheduler.order(each[1])):
        if not scheduler.meets(node, first.constraints) or parent_id is None:
            continue
        family = tx.children(parent_id)
        if any(job.waits_for_a_node and not twins.is_at_work(job, family) for job in family):
            continue
        for stage in twins.STAGES:
            parts = _parts(farm, tx, family, stage)
            found = sharing.again(node.id, parts.running, parts.known)
            job = None if found is None else tx.job(found.job_id)
            if job is not None:
                return job if job.twin_of is None else tx.job(job.twin_of)
    return None


def _parts(farm: Farm, tx: Transaction, family: Sequence[Job], stage: Stage) -> _Parts:
    weights = {job.id: weight for job, weight in zip(family, weigh(family), strict=True)}
    alike = [job for job in family if job.stage is stage]
    waits = {job.id for job in alike if job.waits_for_a_node and tx.ready_in(job.id) <= 0}
    twinned = {job.twin_of for job in alike}
    twinned |= {job.id for job in alike if job.twin_of is not None and job.twin_of not in waits}
    running = [
        replace(_running(farm, tx, job, weights[job.id]), twinned=job.id in twinned)
        for job in alike
        if job.lease is not None
    ]
    done = [found for job in alike if (found := _done(job, weights[job.id])) is not None]
    at_work = {job.twin_of for job in alike if not job.status.final}
    waiting = [
        sharing.Waiting(job.id, weights[job.id]) for job in alike if job.id in waits and job.id not in at_work
    ]
    return _Parts(waiting, running, sharing.paces(done, running))


def _running(farm: Farm, tx: Transaction, job: Job, weight: float) -> sharing.Running:
    lease, liveness = job.lease, farm.store.liveness
    assert lease is not None  # noqa: S101 - it runs
    progress = liveness.progress(lease.lease_id, tx.now)
    return sharing.Running(
        job.id,
        lease.node_id,
        weight,
        _seconds(lease.started_at, tx.now.wall),
        None if progress is None else progress.seconds_left,
        silent=liveness.lease_age(lease.lease_id, tx.now) > SILENT * farm.config.lease,
    )


def _done(job: Job, weight: float) -> sharing.Done | None:
    """What a node has shown; a part that its twin completed shows nothing, but that twin does."""
    attempt = job.attempt
    if attempt is None or attempt.outcome is not Outcome.COMPLETED or attempt.ended_at is None:
        return None
    return sharing.Done(attempt.node_id, weight, _seconds(attempt.started_at, attempt.ended_at))


def _seconds(begun: datetime, ended: datetime) -> float:
    return max(0.0, (ended - begun).total_seconds())


def is_shared(job: Job) -> bool:
    """Whether `job` is a part that nodes may decline, or that may get a twin."""
    return job.parent_id is not None and job.stage in twins.STAGES
