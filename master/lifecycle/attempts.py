"""The rules of attempts: how they begin, how they end, and what follows for job and node."""

from __future__ import annotations

from collections.abc import Sequence

from common import failures, problems
from common.model import (
    Attempt,
    Failure,
    Job,
    JobStatus,
    Node,
    NodeStatus,
    Now,
    Outcome,
    Report,
    Stage,
)
from master.lifecycle import commands as c
from master.lifecycle import events as e
from master.lifecycle import families, twins
from master.lifecycle.view import View

MAX_BACKOFF = 300.0
"""Seconds; the doubling of the backoff ends here."""


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


def claim(view: View, command: c.Claim, now: Now) -> Sequence[e.Event]:
    """Numbers go up, also where some are known only to agents (`FarmState.attempts_above`)."""
    job, node = view.the_job(), view.the_node()
    if view.farm.paused or not job.waits_for_a_node:
        return []
    if node.status(node.slots_taken(view.held)) is not NodeStatus.AVAILABLE:
        return []
    if job.constraints.alone and view.held:
        return []
    number = max(job.attempt.number if job.attempt else 0, view.farm.attempts_above) + 1
    return [e.JobClaimed(job.id, now.wall, node.id, command.lease_id, number)]


def finish(view: View, command: c.Finish, now: Now) -> Sequence[e.Event]:
    """Take a report once; the same again changes nothing, another one of that attempt is refused."""
    job, report = view.the_job(), command.report
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
    if report.status is JobStatus.COMPLETED and job.stage is Stage.PLAN:
        return _planned(job, report, view, now)
    if report.status is JobStatus.COMPLETED:
        report = families.joined(job, report, view.family, now)
        completed = e.JobCompleted(
            job.id,
            now.wall,
            report.node_id,
            report.metrics,
            report.analyzer_output,
            report.digest,
            report.findings,
        )
        return [completed, *_in_favour_of(view.node, now)]
    error = report.error or Failure("unspecified", "the node reported a failure without a reason")
    return [_failed(job, report, error, view, now), *against(view.node, job.id, error, view, now)]


def _planned(job: Job, report: Report, view: View, now: Now) -> Sequence[e.Event]:
    """The node looked at the input: the job is divided; or it fails, if that cannot be."""
    try:
        return [*families.divided(job, report, view, now), *_in_favour_of(view.node, now)]
    except ValueError as problem:
        error = Failure("output_invalid", f"the job cannot be divided into parts: {problem}")
        return [_failed(job, report, error, view, now), *against(view.node, job.id, error, view, now)]


def _is_of(report: Report, attempt: Attempt) -> bool:
    """Whether `report` speaks of `attempt`: by its lease, or, in a plain report, by its node."""
    return report.node_id == attempt.node_id and report.lease_id in (None, attempt.lease_id)


def _failed(job: Job, report: Report, error: Failure, view: View, now: Now) -> e.Event:
    if failures.retryable(error.code) and job.attempts_used < job.max_attempts:
        return e.JobRequeued(
            job.id, now.wall, report.node_id, Outcome.FAILED, error, _backoff(job, view), report.digest
        )
    if twins.is_at_work(job, view.family):
        return e.JobRequeued(
            job.id, now.wall, report.node_id, Outcome.FAILED, error, 0.0, report.digest, awaits_twin=True
        )
    return e.JobFailed(
        job.id,
        now.wall,
        report.node_id,
        Outcome.FAILED,
        error,
        report.metrics,
        report.analyzer_output,
        report.digest,
        report.findings,
    )


def _backoff(job: Job, view: View) -> float:
    """Seconds before the next attempt; they double with each that was used up."""
    return min(MAX_BACKOFF, view.backoff * 2.0 ** (job.attempts_used - 1))


def release(view: View, command: c.Release, now: Now) -> Sequence[e.Event]:
    """The node hands the job back; no attempt is used up."""
    job = view.the_job()
    current_lease(job, command.node_id, command.lease_id)
    return [handed_back(job, now)]


def handed_back(job: Job, now: Now) -> e.Event:
    """The running attempt ends unharmed."""
    error = Failure("handed_back", "the node handed the job back because it is stopping")
    return e.JobRequeued(job.id, now.wall, _holder(job), Outcome.HANDED_BACK, error, 0.0)


def expire(view: View, command: c.Expire, now: Now) -> Sequence[e.Event]:
    """Nothing was heard of the attempt until its lease ended.

    It says nothing against the node: leases of one silence may end one by one, and `lose` counts that.
    """
    job = view.the_job()
    if job.lease is None or job.lease.lease_id != command.lease_id:
        return []
    return [lost(job, command.error, view, now)]


def lost(job: Job, error: Failure, view: View, now: Now) -> e.Event:
    """The attempt is used up: whether job or node is at fault cannot be known.

    The first time the job waits no longer: it has waited while its node was silent. A job
    that loses its agents again and again is set aside, before it takes the whole farm down.
    """
    earlier = [a for a in job.attempts if a.outcome is Outcome.LOST]
    agents = sum(failures.agent_lost(a.error.code) for a in earlier if a.error is not None)
    agents += failures.agent_lost(error.code)
    if 0 < view.quarantine_after <= agents:
        why = (
            f"{agents} agents were lost while they ran this job (the last: {error.message}); it is not "
            f"tried again by itself. Look at its log, then: ffrtmp jobs retry {job.id}"
        )
        return _lost_for_good(job, Failure("quarantined", why), view, now)
    if job.attempts_used < job.max_attempts:
        delay = _backoff(job, view) if earlier else 0.0
        return e.JobRequeued(job.id, now.wall, _holder(job), Outcome.LOST, error, delay)
    last = Failure(
        error.code,
        f"{error.message}; that was attempt {job.attempts_used} of {job.max_attempts}, the last",
    )
    return _lost_for_good(job, last, view, now)


def _lost_for_good(job: Job, error: Failure, view: View, now: Now) -> e.Event:
    """The attempt was the last one; but if the job has a twin at work, that may still complete it."""
    if twins.is_at_work(job, view.family):
        return e.JobRequeued(job.id, now.wall, _holder(job), Outcome.LOST, error, 0.0, awaits_twin=True)
    return e.JobFailed(job.id, now.wall, _holder(job), Outcome.LOST, error)


def _holder(job: Job) -> str:
    assert job.lease is not None  # noqa: S101 - only jobs that run come here
    return job.lease.node_id


def against(node: Node | None, job_id: str, error: Failure, view: View, now: Now) -> Sequence[e.Event]:
    """What a failure of a job says against its node: after some different ones in a row it is set aside.

    Any failure counts, also one that may be the job's own fault: a node that breaks all it gets
    looks just the same, and a farm that stands still loses nothing (docs/decisions/0011). Only an
    input that cannot be had does not: whoever may submit jobs could set all nodes aside with it.
    """
    if (
        failures.of_job(error.code)
        or node is None
        or view.quarantine_after == 0
        or node.quarantined is not None
        or job_id in node.failing
    ):
        return []
    happened: list[e.Event] = [e.NodeFailing(node.id, now.wall, job_id)]
    failed = len(node.failing) + 1
    if failed >= view.quarantine_after:
        reason = f"{failed} different jobs in a row failed on it; the last: {error.message} ({error.code})"
        happened.append(e.NodeQuarantined(node.id, now.wall, reason))
    return happened


def _in_favour_of(node: Node | None, now: Now) -> Sequence[e.Event]:
    return [e.NodeProven(node.id, now.wall)] if node is not None and node.failing else []
