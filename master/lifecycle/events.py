"""The facts: what has happened. The journal, the feed and the state are made of these.

Every event concerns one record, named by `key`; `at` is UTC wall time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from common.model import Failure, Job, Node, Outcome, Scalar

RecordKey = tuple[type[Job] | type[Node], str]
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


@dataclass(frozen=True, slots=True)
class JobRequeued(JobEvent):
    """The running attempt ended without success; the job waits again."""

    node_id: str
    outcome: Outcome
    error: Failure
    delay: float
    """Seconds of backoff."""
    report_digest: str | None = None


@dataclass(frozen=True, slots=True)
class JobFailed(JobEvent):
    """The running attempt ended without success, and it was the last."""

    node_id: str
    outcome: Outcome
    error: Failure
    metrics: Mapping[str, Scalar] | None = None
    analyzer_output: Mapping[str, Scalar] | None = None
    report_digest: str | None = None


@dataclass(frozen=True, slots=True)
class JobCanceled(JobEvent):
    """A person ended the job, running or not."""

    node_id: str | None
    """Where it ran; None if it was pending."""
    error: Failure


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
    """It gets jobs again."""


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


Event = (
    JobSubmitted
    | JobClaimed
    | JobCompleted
    | JobRequeued
    | JobFailed
    | JobCanceled
    | NodeRegistered
    | NodeApproved
    | NodeDraining
    | NodeResumed
    | NodeStopping
    | NodeLost
    | NodeReturned
    | NodeRemoved
)
