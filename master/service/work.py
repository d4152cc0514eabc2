"""The verbs of agents at work, and what time alone brings about."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress

from common import problems
from common.model import Failure, Progress, Report
from common.problems import Problem
from master import lifecycle
from master.lifecycle import commands
from master.service import claiming, sharing
from master.service.again import again
from master.service.farm import Farm
from master.service.views import Caller, JobView
from master.store.interface import Transaction

LOOK_AGAIN = 8
"""Parked polls that look again in each round of the reaper, while files are encoded in chunks."""


@again
def progress(
    farm: Farm,
    caller: Caller,
    job_id: str,
    node_id: str,
    lease_id: str,
    how_far: Progress,
    log: Sequence[str],
) -> float:
    """Note how far an attempt is and renew its lease; answers the seconds that it holds from now.

    `stale_lease` tells the agent to end the attempt.
    """
    caller.speaks_for(node_id)
    now = farm.clock()
    with farm.logs.more_to_come([job_id] if log else ()):
        with farm.store.transaction(now, caller.actor) as tx:
            job = farm.require_job(tx, job_id)
            farm.hear(tx, caller, node_id)
            lease = lifecycle.current_lease(job, node_id, lease_id)
            farm.store.liveness.renew(lease.lease_id, now)
            shown = farm.store.liveness.set_progress(lease.lease_id, how_far, now)
            # Under the lock: what ends the attempt is told after this.
            farm.live.report(job, node_id, shown, now, tx.now.wall)
        farm.logs.append(job_id, log)
    return farm.config.lease


@again
def finish(farm: Farm, caller: Caller, report: Report, log: Sequence[str]) -> None:
    """Take the report at the end of an attempt; the same report again changes nothing."""
    caller.speaks_for(report.node_id)
    with farm.logs.more_to_come([report.job_id] if log else ()):
        with farm.store.transaction(farm.clock(), caller.actor) as tx:
            happened = _take(farm, tx, caller, report)
        if happened:
            farm.logs.append(report.job_id, log)


@again
def finish_and_claim(
    farm: Farm, caller: Caller, report: Report, log: Sequence[str], known: Sequence[str] | None
) -> JobView | None:
    """`finish`, and in the same transaction claim the node's next job; None if there is none for it.

    `known` are the leases that the agent holds, as in a poll. A report that is sent again because its
    answer was lost gets the lease again that this had, if `known` tells that; without `known` it
    claims nothing, so that it changes nothing.
    """
    caller.speaks_for(report.node_id)
    leased: list[JobView] = []
    with farm.logs.more_to_come([report.job_id] if log else ()):
        with farm.store.transaction(farm.clock(), caller.actor) as tx:
            happened = _take(farm, tx, caller, report)
            if tx.node(report.node_id) is not None and (happened or known is not None):
                # The report stands, also where the disk has no room for a claim.
                with suppress(Problem):
                    leased = claiming.lease(farm, tx, claiming.Poll(report.node_id, known))
        if happened:
            farm.logs.append(report.job_id, log)
    claiming.begun(farm, leased)
    return leased[0] if leased else None


@again
def finish_all(
    farm: Farm, caller: Caller, reports: Sequence[tuple[Report, Sequence[str]]]
) -> list[Problem | None]:
    """Take many reports in one transaction; of each, why it was refused, or None.

    One that is refused changes nothing, and the others stand. `forbidden` if the caller may not speak for one
    of the nodes: then nothing is taken.
    """
    for report, _ in reports:
        caller.speaks_for(report.node_id)
    with ExitStack() as logs:
        logs.enter_context(farm.logs.more_to_come({report.job_id for report, log in reports if log}))
        kept = logs.enter_context(ExitStack())
        try:
            with farm.store.transaction(farm.clock(), caller.actor) as tx, tx.together():
                return _take_each(farm, tx, caller, reports, kept)
        except Problem:
            if farm.store.shared:
                kept.pop_all()  # a database undoes the whole transaction, a full disk ends it
            raise


def _take_each(
    farm: Farm,
    tx: Transaction,
    caller: Caller,
    reports: Sequence[tuple[Report, Sequence[str]]],
    kept: ExitStack,
) -> list[Problem | None]:
    """See `finish_all`; in the end `kept` writes the logs of what was taken."""
    outcomes: list[Problem | None] = []
    heard: set[str] = set()
    for report, log in reports:
        try:
            happened = _take(farm, tx, caller, report, heard)
        except Problem as refused:
            if refused.type is problems.UNAVAILABLE:
                raise  # nothing more can be kept: all may be sent again
            outcomes.append(refused)
        else:
            outcomes.append(None)
            if happened:
                kept.callback(farm.logs.append, report.job_id, log)
    return outcomes


def _take(farm: Farm, tx: Transaction, caller: Caller, report: Report, heard: set[str] | None = None) -> bool:
    """Record what follows from a report; whether anything did. `heard`: nodes that were heard just now."""
    job = farm.require_job(tx, report.job_id)
    node = tx.node(report.node_id)
    if node is not None and (heard is None or node.id not in heard):
        farm.hear(tx, caller, node.id)
        node = tx.node(node.id)
        if heard is not None:
            heard.add(report.node_id)
    return bool(farm.decide(tx, commands.Finish(report), job=job, node=node))


@again
def release(farm: Farm, caller: Caller, job_id: str, node_id: str, lease_id: str | None) -> JobView:
    """Take a job back from a node that is stopping; no attempt is used up."""
    caller.speaks_for(node_id)
    with farm.store.transaction(farm.clock(), caller.actor) as tx:
        farm.decide(tx, commands.Release(node_id, lease_id), job=farm.require_job(tx, job_id))
        return farm.job_view(tx, farm.require_job(tx, job_id))


@again
def reap(farm: Farm) -> None:
    """What time alone brings about: lost nodes, expired leases, ended backoffs."""
    now = farm.clock()
    liveness = farm.store.liveness
    with farm.store.transaction(now) as tx:
        for node in tx.nodes():
            if not node.lost and liveness.silence(node.id, now) > farm.config.heartbeat_timeout:
                last_seen = liveness.last_heard(node.id) or node.last_seen
                farm.decide(tx, commands.Lose(last_seen), node=node)
        for job in tx.running():
            lease = job.lease
            if lease is not None and liveness.lease_age(lease.lease_id, now) > farm.config.lease:
                error = Failure(
                    "lease_expired", f"nothing was heard of attempt {lease.number} until its lease ended"
                )
                farm.decide(tx, commands.Expire(lease.lease_id, error), job=job)
        released = tx.released()
        shares = any(sharing.is_shared(job) for job in tx.running_parts())
    for job in released:
        farm.waiters.wake_for(job)
    if shares and farm.store.shared:
        farm.shares.set()  # another master may have given them away
    # Nodes that declined a chunk, or could run a slow one once more: what they go by changes with time alone.
    if farm.shares.is_set():
        farm.shares.clear()
        if farm.waiters.wake_first(LOOK_AGAIN) or shares:
            farm.shares.set()
