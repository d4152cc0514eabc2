"""How a node gets jobs: claims, and polls that wait for something to claim."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from common import problems
from common.model import Job, Node, NodeStatus
from master import lifecycle, scheduler
from master.lifecycle import commands, twins
from master.pauses import Pause, Steps
from master.service import handing, sharing
from master.service.again import again
from master.service.farm import Farm, new_id
from master.service.views import Caller, JobView
from master.store.interface import Transaction
from master.waiters import Waiter


@dataclass(frozen=True, slots=True)
class Poll:
    """What a node asks for."""

    node_id: str
    known: Sequence[str] | None = None
    """The leases that the agent holds; one that it does not know of was answered into the void, and is
    given again first. None (a plain poll) knows of all."""
    most: int = 1
    """Jobs that it wants, at most."""


def wait_for_jobs(farm: Farm, caller: Caller, poll: Poll, wait: float) -> Steps[list[JobView]]:
    """Claim jobs for a node, waiting up to `wait` seconds for one to come; none if none came."""
    caller.speaks_for(poll.node_id)
    deadline = farm.clock().mono + wait
    first = True
    while True:
        waiter = _park(farm, poll.node_id) if wait > 0 else None
        if waiter is None:
            return claim(farm, caller, poll, hear=first)
        claimed = yield from _claim_or_wait(farm, caller, poll, waiter, deadline, first=first)
        first = False
        if farm.waiters.closed and not claimed:
            raise problems.UNAVAILABLE("The master is stopping or restarting; ask again in a moment.")
        if claimed or waiter.superseded or not waiter.woken.rung:
            return claimed
        wait = deadline - farm.clock().mono


@again
def _park(farm: Farm, node_id: str) -> Waiter | None:
    """Park a poll; None if it is to be answered at once: there are too many, or it waits for a person."""
    with farm.store.transaction(farm.clock()) as tx:
        node = farm.require_node(tx, node_id)
        held = tx.held(node_id)
        status = node.status(node.slots_taken(held))
        if node.stopping or status is NodeStatus.UNAPPROVED:
            return None
        return farm.waiters.park(node, deaf=status is not NodeStatus.AVAILABLE, idle=not held)


def _claim_or_wait(
    farm: Farm, caller: Caller, poll: Poll, waiter: Waiter, deadline: float, *, first: bool
) -> Steps[list[JobView]]:
    """Claim at once, or when the parked poll is woken; none if it was in vain.

    It looks only after it is parked, so that a job that comes in between is not missed.
    `first`: the node has just called. Later it only waits, and that is no sign of life.
    """
    claimed: list[JobView] = []
    try:
        if not waiter.superseded:
            claimed = claim(farm, caller, poll, hear=first)
        if not claimed:
            yield Pause(waiter.woken, deadline - farm.clock().mono)
            farm.waiters.leave(waiter)
            if waiter.woken.rung and not waiter.superseded:
                claimed = claim(farm, caller, poll, hear=False)
        return claimed
    finally:
        farm.waiters.leave(waiter)
        if waiter.job is not None and all(each.job.id != waiter.job.id for each in claimed):
            # This poll was woken for it and did not take it: another may, of those that wait since before.
            farm.wake_for(waiter.job.id, waiter.before)


@again
def claim(farm: Farm, caller: Caller, poll: Poll, *, hear: bool) -> list[JobView]:
    """Lease the best pending jobs to a node; none if there are none for it, or it has no free slot.

    `hear`: the node calls just now. A poll that looks again knows of all leases: what it did not know of
    it was given when it came, and what was given since went to another request of its node.
    """
    with farm.store.transaction(farm.clock(), caller.actor) as tx:
        lifecycle.same_agent(farm.require_node(tx, poll.node_id), caller.instance, tx.farm())
        if hear:
            farm.hear(tx, caller, poll.node_id)
        leased = lease(farm, tx, poll if hear else replace(poll, known=None))
    begun(farm, leased)
    return leased


def lease(farm: Farm, tx: Transaction, poll: Poll) -> list[JobView]:
    """Lease up to `poll.most` jobs to a node, the best first; `begun` is told of them after the transaction.

    Each is chosen by the scheduler's rules, with those before it running on the node.
    """
    unknown = [
        job
        for job in tx.held(poll.node_id)
        if poll.known is not None and job.lease is not None and job.lease.lease_id not in poll.known
    ]
    found = unknown[: poll.most]
    for job in found:
        assert job.lease is not None  # noqa: S101 - else it was not found
        farm.store.liveness.renew(job.lease.lease_id, tx.now)
    with tx.together() if poll.most > 1 else nullcontext():
        while len(found) < poll.most and (another := _one_more(farm, tx, poll.node_id)) is not None:
            found.append(another)
    return [handing.with_input(farm, tx, farm.claim_view(tx, job)) for job in found]


def begun(farm: Farm, leased: Sequence[JobView]) -> None:
    """What the leases of a transaction bring about, once they are on disk."""
    for view in leased:
        farm.room_was_made_for(view.job)
        if sharing.is_shared(view.job):
            farm.shares.set()


def _one_more(farm: Farm, tx: Transaction, node_id: str) -> Job | None:
    """The next job of a node, leased to it; None if there is none for it, or it has no free slot."""
    node = farm.require_node(tx, node_id)
    chosen = _choose(farm, tx, node)
    given = chosen is not None and farm.decide(tx, commands.Claim(new_id()), job=chosen, node=node)
    return farm.require_job(tx, chosen.id) if chosen is not None and given else _twin(farm, tx, node)


def _choose(farm: Farm, tx: Transaction, node: Node) -> Job | None:
    """The job that the node should run next; of a file that is done sooner without this node, none."""
    declined: set[str] = set()
    while True:
        chosen = scheduler.choose(node, tx.candidates(node, declined), tx.held(node.id), tx.standings)
        if chosen is None:
            return None
        if not tx.reserve(chosen):
            continue
        if handing.disappoint(farm, tx, chosen):
            continue
        wanted = sharing.instead(farm, tx, node, chosen)
        if wanted is not None or chosen.parent_id is None:
            return wanted
        declined.add(chosen.parent_id)
        farm.shares.set()


def _twin(farm: Farm, tx: Transaction, node: Node) -> Job | None:
    """For an idle node that has nothing else: a part that is slow elsewhere is run once more."""
    held = tx.held(node.id)
    if held or tx.farm().paused or node.status(0) is not NodeStatus.AVAILABLE:
        return None
    slow = sharing.slow(farm, tx, node)
    if slow is None:
        return None
    again = slow.waits_for_a_node  # it is its twin that is slow
    command = commands.Claim(new_id()) if again else commands.ClaimTwin(new_id())
    if not farm.decide(tx, command, job=slow, node=node):
        return None
    return farm.require_job(tx, slow.id if again else twins.twin_id(slow.id))
