"""The rules of what people do with jobs."""

from __future__ import annotations

from collections.abc import Sequence

from common import problems
from common.model import Failure, Job, JobStatus, Now
from common.problems import Problem
from master.lifecycle import commands as c
from master.lifecycle import events as e
from master.lifecycle.view import View


def submit(_view: View, command: c.Submit, now: Now) -> Sequence[e.Event]:
    """Queue new jobs."""
    return [e.JobSubmitted(job, now.wall) for job in command.jobs]


def cancel(view: View, _command: c.Cancel, now: Now) -> Sequence[e.Event]:
    """End a job that is not finished, running or not."""
    job = view.the_job()
    if job.status is JobStatus.CANCELED:
        return []
    if job.status.final:
        raise _finished(job, "canceled")
    node_id = job.lease.node_id if job.lease else None
    return [e.JobCanceled(job.id, now.wall, node_id, Failure("canceled", "canceled by an operator"))]


def pause(view: View, _command: c.PauseJob, now: Now) -> Sequence[e.Event]:
    """Hold a pending job back. One that runs is not stopped: its work would be lost."""
    job = view.the_job()
    if job.status is JobStatus.PAUSED:
        return []
    if job.status is JobStatus.RUNNING:
        raise problems.JOB_RUNNING(
            f"Job {job.id} is running; only a pending job can be paused. Cancel it, or let it finish.",
            job_id=job.id,
        )
    if job.status.final:
        raise _finished(job, "paused")
    return [e.JobPaused(job.id, now.wall)]


def resume(view: View, _command: c.ResumeJob, now: Now) -> Sequence[e.Event]:
    """Let a paused job wait for a node again, at its old place; what is not paused goes on anyway."""
    job = view.the_job()
    if job.status.final:
        raise _finished(job, "resumed")
    return [e.JobResumed(job.id, now.wall)] if job.status is JobStatus.PAUSED else []


def _finished(job: Job, what: str) -> Problem:
    return problems.JOB_FINISHED(
        f"Job {job.id} is {job.status}; it cannot be {what} any more.",
        job_id=job.id,
        job_status=job.status,
    )
