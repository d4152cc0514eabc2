"""Every rule of jobs and nodes: who may do what, when, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from common import failures, problems
from common.durations import format_duration
from common.model import Attempt, Failure, Job, JobStatus, Node, NodeStatus, Now, Outcome, Report
from master.lifecycle import commands as c
from master.lifecycle import events as e

MAX_BACKOFF = 300.0
"""Seconds; the doubling of the backoff ends here."""


@dataclass(frozen=True, slots=True)
class View:
    """The records that a command concerns; `decide` sees nothing else."""

    job: Job | None = None
    node: Node | None = None
    held: tuple[Job, ...] = ()
    """The jobs that run on `node`."""
    backoff: float = 5.0
    """Seconds before the second attempt."""


def decide(view: View, command: c.Command, now: Now) -> Sequence[e.Event]:
    """The events that `command` leads to, none if it changes nothing; `Problem` if refused."""
    return _RULES[type(command)](view, command, now)


def current_lease(job: Job, node_id: str, lease_id: str | None) -> Attempt:
    """The running attempt that a node speaks of; `stale_lease` if it is not running there.

    Without a lease id (a plain report) the node's hold on the job is enough.
    """
    lease = job.lease
    if lease is None or lease.node_id != node_id or lease_id not in (None, lease.lease_id):
        raise problems.STALE_LEASE(
            f"Node {node_id} does not hold the current lease of job {job.id} (the job is {job.status}). "
            "Drop this attempt: its result is not wanted.",
            job_id=job.id,
            job_status=job.status,
        )
    return lease


def _job(view: View) -> Job:
    assert view.job is not None  # noqa: S101 - the service looked it up, or answered unknown_job
    return view.job


def _node(view: View) -> Node:
    assert view.node is not None  # noqa: S101 - the service looked it up, or answered unknown_node
    return view.node


def _submit(_view: View, command: c.Submit, now: Now) -> Sequence[e.Event]:
    return [e.JobSubmitted(command.job, now.wall)]


def _claim(view: View, command: c.Claim, now: Now) -> Sequence[e.Event]:
    job, node = _job(view), _node(view)
    if job.status is not JobStatus.PENDING or node.status(len(view.held)) is not NodeStatus.AVAILABLE:
        return []
    number = (job.attempt.number if job.attempt else 0) + 1
    return [e.JobClaimed(job.id, now.wall, node.id, command.lease_id, number)]


def _finish(view: View, command: c.Finish, now: Now) -> Sequence[e.Event]:
    job, report = _job(view), command.report
    earlier = next((a for a in reversed(job.attempts) if _is_of(report, a)), None)
    if earlier is not None and earlier.report_digest is not None:
        if earlier.report_digest == report.digest:
            return []
        raise problems.RESULT_MISMATCH(
            f"Another result of attempt {earlier.number} of job {job.id} was accepted before; it stands.",
            job_id=job.id,
        )
    lease = current_lease(job, report.node_id, report.lease_id)
    if report.attempt not in (None, lease.number):
        raise problems.STALE_LEASE(
            f"Job {job.id} is at attempt {lease.number}, not {report.attempt}. Drop this result.",
            job_id=job.id,
            job_status=job.status,
        )
    if report.status is JobStatus.COMPLETED:
        return [
            e.JobCompleted(
                job.id, now.wall, report.node_id, report.metrics, report.analyzer_output, report.digest
            )
        ]
    error = report.error or Failure("unspecified", "the node reported a failure without a reason")
    if failures.retryable(error.code) and job.attempts_used < job.max_attempts:
        return [
            e.JobRequeued(
                job.id, now.wall, report.node_id, Outcome.FAILED, error, _backoff(job, view), report.digest
            )
        ]
    return [
        e.JobFailed(
            job.id,
            now.wall,
            report.node_id,
            Outcome.FAILED,
            error,
            report.metrics,
            report.analyzer_output,
            report.digest,
        )
    ]


def _is_of(report: Report, attempt: Attempt) -> bool:
    """Whether `report` speaks of `attempt`: by its lease, or, in a plain report, by its node."""
    return report.node_id == attempt.node_id and report.lease_id in (None, attempt.lease_id)


def _backoff(job: Job, view: View) -> float:
    """Seconds before the next attempt; they double with each that was used up."""
    return min(MAX_BACKOFF, view.backoff * 2.0 ** (job.attempts_used - 1))


def _release(view: View, command: c.Release, now: Now) -> Sequence[e.Event]:
    job = _job(view)
    current_lease(job, command.node_id, command.lease_id)
    return [_handed_back(job, now)]


def _handed_back(job: Job, now: Now) -> e.Event:
    error = Failure("handed_back", "the node handed the job back because it is stopping")
    return e.JobRequeued(job.id, now.wall, _holder(job), Outcome.HANDED_BACK, error, 0.0)


def _expire(view: View, command: c.Expire, now: Now) -> Sequence[e.Event]:
    job = _job(view)
    if job.lease is None or job.lease.lease_id != command.lease_id:
        return []
    return [_lost(job, command.error, _backoff(job, view), now)]


def _lost(job: Job, error: Failure, delay: float, now: Now) -> e.Event:
    """The attempt is used up: whether job or node is at fault cannot be known."""
    if job.attempts_used < job.max_attempts:
        return e.JobRequeued(job.id, now.wall, _holder(job), Outcome.LOST, error, delay)
    last = Failure(
        error.code,
        f"{error.message}; that was attempt {job.attempts_used} of {job.max_attempts}, the last",
    )
    return e.JobFailed(job.id, now.wall, _holder(job), Outcome.LOST, last)


def _holder(job: Job) -> str:
    assert job.lease is not None  # noqa: S101 - only jobs that run come here
    return job.lease.node_id


def _cancel(view: View, _command: c.Cancel, now: Now) -> Sequence[e.Event]:
    job = _job(view)
    if job.status is JobStatus.CANCELED:
        return []
    if job.status.final:
        raise problems.JOB_FINISHED(
            f"Job {job.id} is {job.status}; it cannot be canceled any more.",
            job_id=job.id,
            job_status=job.status,
        )
    node_id = job.lease.node_id if job.lease else None
    return [e.JobCanceled(job.id, now.wall, node_id, Failure("canceled", "canceled by an operator"))]


def _register(view: View, command: c.Register, now: Now) -> Sequence[e.Event]:
    """A restarted agent (another instance) has forgotten its jobs; they are tried anew."""
    new, old = command.node, view.node
    changed: list[e.Event] = []
    if old is not None:
        if new.instance is None or new.instance != old.instance:
            error = Failure("agent_restarted", f"the agent of node {old.address} was started anew")
            changed += [_lost(job, error, _backoff(job, view), now) for job in view.held]
        new = replace(
            new, registered_at=old.registered_at, approved=old.approved or new.approved, draining=old.draining
        )
    return [*changed, e.NodeRegistered(new, now.wall)]


def _hear(view: View, command: c.Hear, now: Now) -> Sequence[e.Event]:
    node = _node(view)
    happened: list[e.Event] = [e.NodeReturned(node.id, now.wall)] if node.lost else []
    if command.stopping and not node.stopping:
        happened.append(e.NodeStopping(node.id, now.wall))
    return happened


def _approve(view: View, _command: c.Approve, now: Now) -> Sequence[e.Event]:
    node = _node(view)
    return [] if node.approved else [e.NodeApproved(node.id, now.wall)]


def _drain(view: View, _command: c.Drain, now: Now) -> Sequence[e.Event]:
    node = _node(view)
    return [] if node.draining else [e.NodeDraining(node.id, now.wall)]


def _resume(view: View, _command: c.Resume, now: Now) -> Sequence[e.Event]:
    node = _node(view)
    return [e.NodeResumed(node.id, now.wall)] if node.draining else []


def _lose(view: View, command: c.Lose, now: Now) -> Sequence[e.Event]:
    node = _node(view)
    if node.lost:
        return []
    error = Failure("node_lost", _silence(node, command, now))
    jobs = [_lost(job, error, _backoff(job, view), now) for job in view.held]
    return _gone(node, command.last_seen, jobs, now)


def _leave(view: View, command: c.Leave, now: Now) -> Sequence[e.Event]:
    """What the node still holds, it has handed back: its agent says that it runs nothing more."""
    node = _node(view)
    if node.lost or command.instance not in (None, node.instance):
        return []  # a late goodbye of an agent that was started anew
    return _gone(node, now.wall, [_handed_back(job, now) for job in view.held], now)


def _gone(node: Node, last_seen: datetime | None, jobs: Sequence[e.Event], now: Now) -> Sequence[e.Event]:
    """A node that nobody approved is not worth remembering once it is gone; it has no jobs."""
    if not node.approved:
        return [e.NodeRemoved(node.id, now.wall)]
    return [e.NodeLost(node.id, now.wall, last_seen), *jobs]


def _silence(node: Node, command: c.Lose, now: Now) -> str:
    if command.last_seen is None:
        return f"node {node.address} was not heard of"
    seconds = max(0.0, (now.wall - command.last_seen).total_seconds())
    return f"node {node.address} was not heard of for {format_duration(seconds)}"


def _remove(view: View, _command: c.Remove, now: Now) -> Sequence[e.Event]:
    """Its jobs go back at once; an agent that still runs registers again as a new node."""
    node = _node(view)
    error = Failure("node_removed", f"node {node.address} was removed")
    return [*(_lost(job, error, 0.0, now) for job in view.held), e.NodeRemoved(node.id, now.wall)]


_RULES: dict[type, Callable[[View, Any, Now], Sequence[e.Event]]] = {
    c.Submit: _submit,
    c.Claim: _claim,
    c.Finish: _finish,
    c.Release: _release,
    c.Expire: _expire,
    c.Cancel: _cancel,
    c.Register: _register,
    c.Hear: _hear,
    c.Approve: _approve,
    c.Drain: _drain,
    c.Resume: _resume,
    c.Lose: _lose,
    c.Leave: _leave,
    c.Remove: _remove,
}
