"""The facts: what has happened. The journal, the feed and the state are made of these.

Every event concerns one record, named by `key`; `at` is UTC wall time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from common.model import (
    NO_FINDINGS,
    Failure,
    FarmState,
    Findings,
    Job,
    Node,
    Outcome,
    Scalar,
    Token,
    Webhook,
    WebhookStatus,
)

RecordKey = tuple[type[Job] | type[Node] | type[FarmState] | type[Token] | type[Webhook], str]
"""A record's kind and id: a node may have the same id as a job."""


@dataclass(frozen=True, slots=True)
class JobSubmitted:
    """A new job waits to be run."""

    job: Job
    at: datetime

    @property
    def key(self) -> RecordKey:
        """The job."""
        return (Job, self.job.id)


@dataclass(frozen=True, slots=True)
class JobEvent:
    """What all later events of a job share."""

    job_id: str
    at: datetime

    @property
    def key(self) -> RecordKey:
        """The job."""
        return (Job, self.job_id)


@dataclass(frozen=True, slots=True)
class JobClaimed(JobEvent):
    """A node was given a lease: an attempt begins."""

    node_id: str
    lease_id: str
    number: int


@dataclass(frozen=True, slots=True)
class JobCompleted(JobEvent):
    """The running attempt delivered a verified output."""

    node_id: str
    metrics: Mapping[str, Scalar]
    analyzer_output: Mapping[str, Scalar]
    report_digest: str
    findings: Findings = NO_FINDINGS


@dataclass(frozen=True, slots=True)
class JobRequeued(JobEvent):
    """The running attempt ended without success; the job waits again."""

    node_id: str
    outcome: Outcome
    error: Failure
    delay: float
    """Seconds of backoff."""
    report_digest: str | None = None
    awaits_twin: bool = False
    """It was the last attempt, but the job's twin still runs."""


@dataclass(frozen=True, slots=True)
class JobFailed(JobEvent):
    """The running attempt ended without success, and it was the last."""

    node_id: str
    outcome: Outcome
    error: Failure
    metrics: Mapping[str, Scalar] | None = None
    analyzer_output: Mapping[str, Scalar] | None = None
    report_digest: str | None = None
    findings: Findings = NO_FINDINGS


@dataclass(frozen=True, slots=True)
class JobCanceled(JobEvent):
    """A person ended the job, running or not."""

    node_id: str | None
    """Where it ran; None if it was pending."""
    error: Failure


@dataclass(frozen=True, slots=True)
class JobPaused(JobEvent):
    """An operator holds the pending job back."""


@dataclass(frozen=True, slots=True)
class JobResumed(JobEvent):
    """The paused job waits for a node again."""


@dataclass(frozen=True, slots=True)
class JobDivided(JobEvent):
    """The running attempt looked at the input: the job was divided, and waits for its parts."""

    node_id: str
    parts: tuple[str, ...]
    metrics: Mapping[str, Scalar]
    analyzer_output: Mapping[str, Scalar]
    report_digest: str
    findings: Findings = NO_FINDINGS


@dataclass(frozen=True, slots=True)
class JobNotDivided(JobEvent):
    """The running attempt looked at the input, and it is better not divided: the job is encoded whole."""

    node_id: str
    reason: str
    report_digest: str
    findings: Findings = NO_FINDINGS


@dataclass(frozen=True, slots=True)
class JobPartsCompleted(JobEvent):
    """All parts of the job are completed: a node may join them."""


@dataclass(frozen=True, slots=True)
class JobPartFailed(JobEvent):
    """A part of the waiting job failed or was canceled, and so the job failed."""

    part_id: str
    """The job that the part is, or was."""
    error: Failure


@dataclass(frozen=True, slots=True)
class JobTwinCompleted(JobEvent):
    """The job's twin was completed first, and so the job is, with what the twin made."""

    node_id: str | None
    """Where it ran itself, which is over; None: it waited."""
    twin_id: str
    error: Failure
    """Why its own attempt ended."""
    metrics: Mapping[str, Scalar]
    analyzer_output: Mapping[str, Scalar]
    findings: Findings = NO_FINDINGS


@dataclass(frozen=True, slots=True)
class JobTwinFailed(JobEvent):
    """The job's twin ended without success, as all its own attempts had, and so the job failed."""

    twin_id: str
    error: Failure


@dataclass(frozen=True, slots=True)
class JobDependenciesCompleted(JobEvent):
    """All jobs that the job depends on are completed: it need not wait for them any more."""


@dataclass(frozen=True, slots=True)
class JobDependencyFailed(JobEvent):
    """A job that the job depends on cannot give what it needs, and so the job failed."""

    dependency_id: str
    """The job that it depends on, or did."""
    error: Failure


@dataclass(frozen=True, slots=True)
class JobArchived(JobEvent):
    """The finished job is in an archive on disk, and leaves the state."""


@dataclass(frozen=True, slots=True)
class NodeRegistered:
    """A node is known, newly or again: this is all that is known of it."""

    node: Node
    at: datetime

    @property
    def key(self) -> RecordKey:
        """The node."""
        return (Node, self.node.id)


@dataclass(frozen=True, slots=True)
class NodeEvent:
    """What all later events of a node share."""

    node_id: str
    at: datetime

    @property
    def key(self) -> RecordKey:
        """The node."""
        return (Node, self.node_id)


@dataclass(frozen=True, slots=True)
class NodeApproved(NodeEvent):
    """An operator lets it take jobs."""


@dataclass(frozen=True, slots=True)
class NodeDraining(NodeEvent):
    """It gets no new jobs."""


@dataclass(frozen=True, slots=True)
class NodeResumed(NodeEvent):
    """It gets jobs again: it no longer drains, and is no longer set aside."""


@dataclass(frozen=True, slots=True)
class NodeFailing(NodeEvent):
    """A job failed on it, and none was completed since."""

    job_id: str


@dataclass(frozen=True, slots=True)
class NodeProven(NodeEvent):
    """It completed a job: what failed on it before says nothing against it any more."""


@dataclass(frozen=True, slots=True)
class NodeQuarantined(NodeEvent):
    """It is set aside: too many different jobs failed on it in a row."""

    reason: str


@dataclass(frozen=True, slots=True)
class NodeStopping(NodeEvent):
    """Its agent is ending: it finishes what it has."""


@dataclass(frozen=True, slots=True)
class NodeLost(NodeEvent):
    """It missed its heartbeats, or its agent said goodbye."""

    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class NodeReturned(NodeEvent):
    """It is heard again."""


@dataclass(frozen=True, slots=True)
class NodeRemoved(NodeEvent):
    """An operator took it out of the registry."""


@dataclass(frozen=True, slots=True)
class NodeCredentialReplaced(NodeEvent):
    """Its agent made a new credential; the one before is valid until that is used, but not for long."""

    credential_hash: str
    expires_at: datetime
    replaced_hash: str | None
    replaced_expires_at: datetime


@dataclass(frozen=True, slots=True)
class NodeCredentialConfirmed(NodeEvent):
    """Its new credential was used, and the one before is worth nothing any more."""


@dataclass(frozen=True, slots=True)
class NodeCredentialExtended(NodeEvent):
    """An operator gave its expired credential another term."""

    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NodeRevoked(NodeEvent):
    """An operator ended its credential: it is turned away from now on."""


@dataclass(frozen=True, slots=True)
class TokenCreated:
    """An operator made a token."""

    token: Token
    at: datetime

    @property
    def key(self) -> RecordKey:
        """The token."""
        return (Token, self.token.id)


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """What all later events of a token share."""

    token_id: str
    at: datetime

    @property
    def key(self) -> RecordKey:
        """The token."""
        return (Token, self.token_id)


@dataclass(frozen=True, slots=True)
class TokenUsed(TokenEvent):
    """A join token let a node in."""

    node_id: str


@dataclass(frozen=True, slots=True)
class TokenRevoked(TokenEvent):
    """An operator ended it."""


@dataclass(frozen=True, slots=True)
class TokenForgotten(TokenEvent):
    """It was worth nothing for so long that nobody asks for the reason any more."""


@dataclass(frozen=True, slots=True)
class WebhookCreated:
    """An operator made a webhook."""

    webhook: Webhook
    at: datetime

    @property
    def key(self) -> RecordKey:
        """The webhook."""
        return (Webhook, self.webhook.id)


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """What all later events of a webhook share."""

    webhook_id: str
    at: datetime

    @property
    def key(self) -> RecordKey:
        """The webhook."""
        return (Webhook, self.webhook_id)


@dataclass(frozen=True, slots=True)
class WebhookStopped(WebhookEvent):
    """It is told nothing more: an operator paused it, its receiver is gone, or took nothing for days."""

    status: WebhookStatus
    reason: str


@dataclass(frozen=True, slots=True)
class WebhookResumed(WebhookEvent):
    """It is told again, beginning with what it was not told yet."""


@dataclass(frozen=True, slots=True)
class WebhookRotated(WebhookEvent):
    """It has another secret; requests are signed with the one before, too, for a while."""

    generation: int
    replaced_until: datetime
    oldest: int


@dataclass(frozen=True, slots=True)
class WebhookReplayed(WebhookEvent):
    """It is told everything anew that has a number above `after`."""

    after: int


@dataclass(frozen=True, slots=True)
class WebhookRemoved(WebhookEvent):
    """An operator removed it."""


@dataclass(frozen=True, slots=True)
class FarmEvent:
    """What all events of the whole farm share."""

    at: datetime

    @property
    def key(self) -> RecordKey:
        """The one record of the farm."""
        return (FarmState, FarmState().id)


@dataclass(frozen=True, slots=True)
class QueuePaused(FarmEvent):
    """No job is given out any more."""


@dataclass(frozen=True, slots=True)
class QueueResumed(FarmEvent):
    """Jobs are given out again."""


@dataclass(frozen=True, slots=True)
class MasterStarted(FarmEvent):
    """The master began to serve; what was told before was told by another start of it."""

    start: str
    history: int
    """How long it was before this event."""


@dataclass(frozen=True, slots=True)
class HistoryRewound(FarmEvent):
    """This state is older than what was acknowledged before: a copy of it was restored."""

    heard: int
    """How long the lost history was at least, in events."""


Event = (
    JobSubmitted
    | JobClaimed
    | JobCompleted
    | JobRequeued
    | JobFailed
    | JobCanceled
    | JobPaused
    | JobResumed
    | JobDivided
    | JobNotDivided
    | JobPartsCompleted
    | JobPartFailed
    | JobTwinCompleted
    | JobTwinFailed
    | JobDependenciesCompleted
    | JobDependencyFailed
    | JobArchived
    | NodeRegistered
    | NodeApproved
    | NodeDraining
    | NodeResumed
    | NodeFailing
    | NodeProven
    | NodeQuarantined
    | NodeStopping
    | NodeLost
    | NodeReturned
    | NodeRemoved
    | NodeCredentialReplaced
    | NodeCredentialConfirmed
    | NodeCredentialExtended
    | NodeRevoked
    | TokenCreated
    | TokenUsed
    | TokenRevoked
    | TokenForgotten
    | WebhookCreated
    | WebhookStopped
    | WebhookResumed
    | WebhookRotated
    | WebhookReplayed
    | WebhookRemoved
    | QueuePaused
    | QueueResumed
    | MasterStarted
    | HistoryRewound
)
