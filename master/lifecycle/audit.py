"""What the audit says of an event: who did what, when, from where. No secret is in it, nor its hash."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, get_args

from common.model import Actor, Failure
from common.timestamps import timestamp
from master.lifecycle import events as e

Entry = dict[str, Any]
"""One event, as `GET /audit` shows it."""

MAX_TEXT = 200
"""Characters of a text in `details`: the record itself has all of it."""

DETAILS: Mapping[type, Mapping[str, str]] = {
    e.JobSubmitted: {
        "scenario": "job.scenario",
        "priority": "job.priority",
        "owner": "job.owner",
        "retry_of": "job.retry_of",
        "parent_id": "job.parent_id",
        "part": "job.part",
        "twin_of": "job.twin_of",
        "request_id": "job.request_id",
    },
    e.JobClaimed: {"attempt": "number"},
    e.JobCompleted: {},
    e.JobRequeued: {"outcome": "outcome", "error": "error"},
    e.JobFailed: {"outcome": "outcome", "error": "error"},
    e.JobCanceled: {},
    e.JobPaused: {},
    e.JobResumed: {},
    e.JobDivided: {"parts": "parts"},
    e.JobNotDivided: {"reason": "reason"},
    e.JobPartsCompleted: {},
    e.JobPartFailed: {"part_id": "part_id", "error": "error"},
    e.JobTwinCompleted: {"twin_id": "twin_id"},
    e.JobTwinFailed: {"twin_id": "twin_id", "error": "error"},
    e.JobDependenciesCompleted: {},
    e.JobDependencyFailed: {"dependency_id": "dependency_id", "error": "error"},
    e.JobArchived: {},
    e.NodeRegistered: {
        "address": "node.address",
        "approved": "node.approved",
        "agent_version": "node.agent_version",
    },
    e.NodeApproved: {},
    e.NodeDraining: {},
    e.NodeResumed: {},
    e.NodeFailing: {},
    e.NodeProven: {},
    e.NodeQuarantined: {"reason": "reason"},
    e.NodeStopping: {},
    e.NodeLost: {"last_heartbeat": "last_seen"},
    e.NodeReturned: {},
    e.NodeRemoved: {},
    e.NodeCredentialReplaced: {"expires_at": "expires_at"},
    e.NodeCredentialConfirmed: {},
    e.NodeCredentialExtended: {"expires_at": "expires_at"},
    e.NodeRevoked: {},
    e.TokenCreated: {"name": "token.name", "role": "token.role", "expires_at": "token.expires_at"},
    e.TokenUsed: {},
    e.TokenRevoked: {},
    e.TokenForgotten: {},
    e.WebhookCreated: {"webhook_id": "webhook.id", "name": "webhook.name", "events": "webhook.events"},
    e.WebhookStopped: {"webhook_id": "webhook_id", "status": "status", "reason": "reason"},
    e.WebhookResumed: {"webhook_id": "webhook_id"},
    e.WebhookRotated: {"webhook_id": "webhook_id", "replaced_until": "replaced_until"},
    e.WebhookReplayed: {"webhook_id": "webhook_id", "after": "after"},
    e.WebhookRemoved: {"webhook_id": "webhook_id"},
    e.QueuePaused: {},
    e.QueueResumed: {},
    e.MasterStarted: {},
    e.HistoryRewound: {"heard": "heard"},
}
"""By event: the names of its details, and where in the event they are. An allow-list."""


NAMES: Mapping[type, str] = {
    event: re.sub(r"(?<!^)(?=[A-Z])", "_", event.__name__).lower() for event in get_args(e.Event)
}
"""The events' names in the audit: `job_canceled`."""


def entry(seq: int, actor: Actor | None, event: e.Event) -> Entry:
    """The audit's entry for event number `seq` of the history; `actor` None: nobody noted who it was."""
    return {
        "seq": seq,
        "at": timestamp(event.at),
        "by": None if actor is None else actor.name,
        "from": None if actor is None else actor.address,
        "event": NAMES[type(event)],
        "job_id": job_of(event),
        "node_id": _id(event, "node"),
        "token_id": _id(event, "token"),
        "details": {
            name: _detail(attrgetter(where)(event)) for name, where in DETAILS.get(type(event), {}).items()
        },
    }


def job_of(event: e.Event) -> str | None:
    """The id of the job that the event names, or has in it."""
    return event.job.id if isinstance(event, e.JobSubmitted) else getattr(event, "job_id", None)


def _id(event: e.Event, kind: str) -> str | None:
    """The id of the job, node or token that the event names or has in it."""
    named: str | None = getattr(event, f"{kind}_id", None)
    return named or getattr(getattr(event, kind, None), "id", None)


def _detail(value: Any) -> Any:
    if isinstance(value, Failure):
        return {"code": value.code, "message": _detail(value.message)}
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, tuple):
        return [_detail(each) for each in value]
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return value[: MAX_TEXT - 1] + "…"
    return value
