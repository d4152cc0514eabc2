"""Who is told of what happens, by requests that the master sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class WebhookStatus(StrEnum):
    """Whether a webhook is told of events. What happens meanwhile is not lost: it waits."""

    ACTIVE = "active"
    PAUSED = "paused"
    """An operator holds it back, or its receiver answered that it is gone (410)."""
    DISABLED = "disabled"
    """Its receiver took nothing for days."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver of events, and which of them it wants.

    Its signing secret is in no record: it follows from the master's key, `id` and `generation`.
    """

    id: str
    name: str
    """For people."""
    url: str
    """As `common.inputs.Url` spells it. It may hold a secret of the receiver: only operators see it whole."""
    events: tuple[str, ...]
    """Names of the audit; none: all events of jobs and nodes."""
    created_at: datetime
    after: int
    """How long the history was when it was made: it is told of what came later."""
    generation: int = 1
    """Which of its secrets is the one now."""
    replaced_until: datetime | None = None
    """Until when requests are signed with the secrets before, too."""
    oldest: int = 1
    """The first generation of those before."""
    status: WebhookStatus = WebhookStatus.ACTIVE
    reason: str | None = None
    """Why it is not active."""
