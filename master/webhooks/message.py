"""What a receiver is sent: the audit's entry, and of a job what matters of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from common.model import Webhook
from common.timestamps import timestamp
from common.version import VERSION
from master.lifecycle.audit import NAMES, Entry
from master.service import JobView

TEST = "test"
"""The `type` of what a person sends to try a webhook."""
EVENTS = tuple(sorted(name for name in NAMES.values() if name.startswith(("job_", "node_"))))
"""What webhooks may be told of: all that happens to jobs and nodes, by its name in the audit."""
_OF_A_JOB = (
    "id", "scenario", "status", "priority", "owner", "created_at", "started_at", "finished_at",
    "retry_count", "retry_of", "parent_id", "part", "twin_of", "input", "output", "error",
)  # fmt: skip
"""Fields of a job as the API shows it."""
_OF_A_RESULT = ("metrics", "analyzer_output", "warnings")
"""Fields of its result."""
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode

Documents = Callable[[JobView], tuple[Mapping[str, Any], Mapping[str, Any] | None]]
"""A job and its result (None: it has none) as the API shows them."""


def wanted(webhook: Webhook, event: str) -> bool:
    """Whether a webhook is to be told of events of this name."""
    return event in (webhook.events or EVENTS)


def message_id(webhook_id: str, seq: int) -> str:
    """What is the same each time a receiver is told of an event."""
    return f"msg_{webhook_id}_{seq}"


def about(entry: Entry, job: tuple[Mapping[str, Any], Mapping[str, Any] | None] | None) -> bytes:
    """The body that tells of an event; `job`: its job and result as they are now, None if there is none."""
    return _body(entry["event"], entry["at"], {**entry, "job": None if job is None else _essence(*job)})


def test(webhook_id: str, now: datetime) -> bytes:
    """The body that tells of nothing."""
    return _body(TEST, timestamp(now), {"webhook_id": webhook_id})


def fixed_headers() -> dict[str, str]:
    """What each request has besides its signature."""
    return {"Content-Type": "application/json", "User-Agent": f"ffrtmp-master/{VERSION}"}


def _body(type_: str, at: str | None, data: Mapping[str, Any]) -> bytes:
    return _encode({"type": type_, "timestamp": at, "data": data}).encode()


def _essence(job: Mapping[str, Any], result: Mapping[str, Any] | None) -> dict[str, Any]:
    summary = None if result is None else {name: result[name] for name in _OF_A_RESULT}
    return {**{name: job[name] for name in _OF_A_JOB}, "result": summary}
