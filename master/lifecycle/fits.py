"""Whether a fact can follow on what is known of its record: asked where facts between were lost."""

from __future__ import annotations

from typing import assert_never

from common.model import Job, JobStatus, Node, Stage, Token, Webhook
from master.lifecycle import events as e
from master.lifecycle.apply import Record

_JobChange = (
    e.JobClaimed
    | e.JobCompleted
    | e.JobRequeued
    | e.JobFailed
    | e.JobCanceled
    | e.JobPaused
    | e.JobResumed
    | e.JobDivided
    | e.JobNotDivided
    | e.JobPartsCompleted
    | e.JobPartFailed
    | e.JobTwinCompleted
    | e.JobTwinFailed
    | e.JobDependenciesCompleted
    | e.JobDependencyFailed
    | e.JobArchived
)


def fits(record: Record | None, event: e.Event) -> bool:
    """Whether `event` can have happened to `record` as it is.

    Stricter than `apply`, which trusts that nothing is missing: an end of an attempt, say, must
    come from the node that runs it. In a history without gaps every event fits.
    """
    match event:
        case e.JobSubmitted():
            return record is None
        case e.NodeRegistered():
            return record is None or isinstance(record, Node)
        case e.QueuePaused() | e.QueueResumed() | e.MasterStarted() | e.HistoryRewound():
            return True
        case e.NodeEvent():
            return isinstance(record, Node)
        case e.TokenCreated():
            return record is None
        case e.TokenUsed():
            return isinstance(record, Token) and record.uses_left != 0
        case e.TokenRevoked() | e.TokenForgotten():
            return isinstance(record, Token)
        case e.WebhookCreated():
            return record is None
        case e.WebhookEvent():
            return isinstance(record, Webhook)
        case _:
            return isinstance(record, Job) and _fits_job(record, event)


def _fits_job(job: Job, event: _JobChange) -> bool:
    holder = job.lease.node_id if job.lease else None
    match event:
        case e.JobClaimed():
            newest = job.attempt.number if job.attempt else 0
            return job.status is JobStatus.PENDING and event.number > newest
        case e.JobCompleted() | e.JobRequeued() | e.JobFailed():
            return event.node_id == holder
        case e.JobCanceled() | e.JobTwinCompleted():
            return not job.status.final and event.node_id == holder
        case e.JobDivided() | e.JobNotDivided():
            return event.node_id == holder and job.stage is Stage.PLAN
        case e.JobPartsCompleted() | e.JobPartFailed():
            return job.awaits_parts and not job.status.final
        case e.JobDependenciesCompleted() | e.JobDependencyFailed() | e.JobTwinFailed():
            return _fits_dependent(job, event)
        case e.JobPaused():
            return job.status is JobStatus.PENDING
        case e.JobResumed():
            return job.status is JobStatus.PAUSED
        case e.JobArchived():
            return True  # it is in the archive, so it was finished, whatever is missing here
    assert_never(event)


def _fits_dependent(
    job: Job, event: e.JobDependenciesCompleted | e.JobDependencyFailed | e.JobTwinFailed
) -> bool:
    if isinstance(event, e.JobTwinFailed):
        return job.awaits_twin and not job.status.final
    if isinstance(event, e.JobDependenciesCompleted):
        return job.awaits_jobs and not job.status.final
    return bool(job.depends_on) and job.status in (JobStatus.PENDING, JobStatus.PAUSED)
