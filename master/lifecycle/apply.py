"""Carry one fact out: the old record and an event give the new record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from common.model import (
    Attempt,
    Failure,
    FarmState,
    Job,
    JobStatus,
    Node,
    Outcome,
    Stage,
    Token,
    Webhook,
    WebhookStatus,
)
from common.model.changed import changed
from master.lifecycle import events as e

Record = Job | Node | FarmState | Token | Webhook
_OfOthers = (
    e.JobDivided
    | e.JobNotDivided
    | e.JobPartsCompleted
    | e.JobPartFailed
    | e.JobTwinCompleted
    | e.JobTwinFailed
    | e.JobDependenciesCompleted
    | e.JobDependencyFailed
)
"""What happens to a job by what became of others."""
Changes = dict[e.RecordKey, Record | None]
"""New records by key; None is a removed one."""

_KEPT_STARTS = 256  # an agent has heard of one of the last few
_KEPT_HANDED_BACK = 10  # attempts handed back are unlimited; only the last few are worth keeping


def apply(record: Record | None, event: e.Event) -> Record | None:
    """The record after `event`; None when it is removed. TypeError if they do not fit."""
    match event, record:
        case e.JobSubmitted(job=job), None:
            return job
        case _, Job() as job:
            return _forgetful(_apply_to_job(job, event))
        case e.NodeRegistered(node=node), (None | Node()):
            return node
        case e.TokenCreated(token=token), None:
            return token
        case e.WebhookCreated(webhook=webhook), None:
            return webhook
        case (
            (e.QueuePaused() | e.QueueResumed() | e.MasterStarted() | e.HistoryRewound()),
            (None | FarmState()),
        ):
            return _apply_to_farm(record or FarmState(), event)
        case _, Node() as node:
            return _apply_to_node(node, event)
        case e.TokenEvent(), Token() as token:
            return _apply_to_token(token, event)
        case e.WebhookEvent(), Webhook() as webhook:
            return _apply_to_webhook(webhook, event)
    raise TypeError(f"{type(event).__name__} does not fit a record of type {type(record).__name__}")


def carry_out(lookup: Callable[[e.RecordKey], Record | None], events: Iterable[e.Event]) -> Changes:
    """What each record that `events` concern becomes, in order; nothing is changed yet.

    TypeError if one of them does not fit: such events must never be recorded.
    """
    changes: Changes = {}
    for event in events:
        key = event.key
        changes[key] = apply(changes[key] if key in changes else lookup(key), event)
    return changes


def _forgetful(job: Job | None) -> Job | None:
    """A finished part does not keep whom it waited for: a hundred names in each of as many fill a memory."""
    if job is None or job.parent_id is None or not job.status.final or not job.depends_on:
        return job
    return changed(job, depends_on=())


def _apply_to_farm(
    farm: FarmState, event: e.QueuePaused | e.QueueResumed | e.MasterStarted | e.HistoryRewound
) -> FarmState:
    match event:
        case e.QueuePaused():
            return changed(farm, paused=True)
        case e.QueueResumed():
            return changed(farm, paused=False)
        case e.MasterStarted():
            starts = (*farm.starts, (event.start, event.history))
            return changed(farm, starts=starts[-_KEPT_STARTS:])
        case e.HistoryRewound():
            return changed(farm, attempts_above=max(farm.attempts_above, event.heard))


def _apply_to_job(job: Job, event: e.Event) -> Job | None:
    match event:
        case e.JobClaimed():
            attempt = Attempt(event.number, event.lease_id, event.node_id, event.at)
            return changed(job, status=JobStatus.RUNNING, attempts=(*job.attempts, attempt), retry_delay=0.0)
        case e.JobCompleted():
            return changed(
                job,
                status=JobStatus.COMPLETED,
                attempts=_ended(job, event.at, Outcome.COMPLETED, None, event.report_digest),
                finished_at=event.at,
                error=None,
                metrics=event.metrics,
                analyzer_output=event.analyzer_output,
                findings=event.findings,
            )
        case e.JobRequeued():
            return changed(
                job,
                status=JobStatus.PENDING,
                attempts=_ended(job, event.at, event.outcome, event.error, event.report_digest),
                retry_delay=event.delay,
                error=event.error,
                awaits_twin=event.awaits_twin,
            )
        case e.JobFailed():
            return changed(
                job,
                status=JobStatus.FAILED,
                attempts=_ended(job, event.at, event.outcome, event.error, event.report_digest),
                finished_at=event.at,
                error=event.error,
                metrics=event.metrics,
                analyzer_output=event.analyzer_output,
                findings=event.findings,
            )
        case e.JobCanceled():
            running = job.status is JobStatus.RUNNING
            ended = _ended(job, event.at, Outcome.CANCELED, event.error, None) if running else job.attempts
            return changed(
                job,
                status=JobStatus.CANCELED,
                attempts=ended,
                finished_at=event.at,
                error=event.error,
                awaits_twin=False,
            )
        case e.JobPaused():
            return changed(job, status=JobStatus.PAUSED)
        case e.JobResumed():
            return changed(job, status=JobStatus.PENDING, retry_delay=0.0)
        case (
            e.JobDivided()
            | e.JobNotDivided()
            | e.JobPartsCompleted()
            | e.JobDependenciesCompleted()
            | e.JobPartFailed()
            | e.JobTwinCompleted()
            | e.JobTwinFailed()
            | e.JobDependencyFailed()
        ):
            return _apply_to_waiting(job, event)
        case e.JobArchived():
            return None
    raise TypeError(f"{type(event).__name__} does not fit a job")


def _apply_to_waiting(job: Job, event: _OfOthers) -> Job:
    match event:
        case e.JobDivided():
            return changed(
                job,
                status=JobStatus.PENDING,
                stage=Stage.JOIN,
                parts=event.parts,
                awaits_parts=True,
                attempts=_ended(job, event.at, Outcome.DIVIDED, None, event.report_digest),
                error=None,
                metrics=event.metrics,
                analyzer_output=event.analyzer_output,
                findings=event.findings,
            )
        case e.JobNotDivided():
            return changed(
                job,
                status=JobStatus.PENDING,
                stage=Stage.ENCODE,
                attempts=_ended(job, event.at, Outcome.DIVIDED, None, event.report_digest),
                error=None,
                findings=event.findings,
            )
        case e.JobPartsCompleted():
            return changed(job, awaits_parts=False)
        case e.JobDependenciesCompleted():
            return changed(job, awaits_jobs=False)
        case e.JobTwinCompleted():
            running = job.status is JobStatus.RUNNING
            ended = _ended(job, event.at, Outcome.CANCELED, event.error, None) if running else job.attempts
            return changed(
                job,
                status=JobStatus.COMPLETED,
                attempts=ended,
                awaits_twin=False,
                finished_at=event.at,
                error=None,
                metrics=event.metrics,
                analyzer_output=event.analyzer_output,
                findings=event.findings,
            )
        case e.JobPartFailed() | e.JobTwinFailed() | e.JobDependencyFailed():
            return changed(
                job, status=JobStatus.FAILED, finished_at=event.at, error=event.error, awaits_twin=False
            )


def _ended(
    job: Job, at: datetime, outcome: Outcome, error: Failure | None, digest: str | None
) -> tuple[Attempt, ...]:
    if not job.attempts:
        raise TypeError("no attempt runs that could end")
    last = changed(job.attempts[-1], ended_at=at, outcome=outcome, error=error, report_digest=digest)
    attempts = (*job.attempts[:-1], last)
    handed_back = [a for a in attempts if a.outcome is Outcome.HANDED_BACK]
    if len(handed_back) <= _KEPT_HANDED_BACK:
        return attempts
    return tuple(a for a in attempts if a is not handed_back[0])


def _apply_to_node(node: Node, event: e.Event) -> Node | None:
    if type(event) not in _ON_NODE:
        raise TypeError(f"{type(event).__name__} does not fit a node")
    return _ON_NODE[type(event)](node, event)


_ON_NODE: dict[type, Callable[[Node, Any], Node | None]] = {
    e.NodeApproved: lambda node, _: changed(node, approved=True),
    e.NodeDraining: lambda node, _: changed(node, draining=True),
    e.NodeResumed: lambda node, _: changed(node, draining=False, quarantined=None, failing=()),
    e.NodeStopping: lambda node, _: changed(node, stopping=True),
    e.NodeLost: lambda node, event: changed(node, lost=True, last_seen=event.last_seen),
    e.NodeReturned: lambda node, _: changed(node, lost=False),
    e.NodeFailing: lambda node, event: changed(node, failing=(*node.failing, event.job_id)),
    e.NodeProven: lambda node, _: changed(node, failing=()),
    e.NodeQuarantined: lambda node, event: changed(node, quarantined=event.reason),
    e.NodeRemoved: lambda _node, _event: None,
    e.NodeCredentialReplaced: lambda node, event: changed(
        node,
        credential_hash=event.credential_hash,
        credential_expires_at=event.expires_at,
        replaced_hash=event.replaced_hash,
        replaced_expires_at=event.replaced_expires_at,
    ),
    e.NodeCredentialConfirmed: lambda node, _: changed(node, replaced_hash=None, replaced_expires_at=None),
    e.NodeCredentialExtended: lambda node, event: changed(node, credential_expires_at=event.expires_at),
    e.NodeRevoked: lambda node, event: changed(node, revoked_at=event.at, lost=True),
}


def _apply_to_token(token: Token, event: e.TokenEvent) -> Token | None:
    match event:
        case e.TokenUsed():
            left = None if token.uses_left is None else token.uses_left - 1
            return changed(token, uses_left=left, used_at=event.at)
        case e.TokenRevoked():
            return changed(token, revoked_at=event.at)
        case e.TokenForgotten():
            return None
    raise TypeError(f"{type(event).__name__} does not fit a token")


def _apply_to_webhook(webhook: Webhook, event: e.WebhookEvent) -> Webhook | None:
    match event:
        case e.WebhookStopped():
            return changed(webhook, status=event.status, reason=event.reason)
        case e.WebhookResumed():
            return changed(webhook, status=WebhookStatus.ACTIVE, reason=None)
        case e.WebhookRotated():
            return changed(
                webhook,
                generation=event.generation,
                replaced_until=event.replaced_until,
                oldest=event.oldest,
            )
        case e.WebhookReplayed():
            return webhook  # how far it was told is no record: `master.webhooks.book`
        case e.WebhookRemoved():
            return None
    raise TypeError(f"{type(event).__name__} does not fit a webhook")
