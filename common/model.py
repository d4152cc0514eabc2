"""The vocabulary: every word the farm uses, explained where it is defined.

Code, API, logs and documents use these words and no others. All records are
frozen; they change only by an event (`master.lifecycle.apply`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

Scalar = str | int | float | bool | None
"""A JSON value without structure, as job parameters and metrics use it."""


class Now(NamedTuple):
    """One reading of both clocks, taken at the edge and passed inwards."""

    wall: datetime
    """UTC time of day: for people and for certificates. Anybody may set it."""
    mono: float
    """Seconds on a clock that nobody sets: for leases, time-outs and backoff."""


class JobStatus(StrEnum):
    """Where a job stands. The last three are final."""

    PENDING = "pending"
    """Waits for a node (or for its backoff to pass)."""
    PAUSED = "paused"
    """An operator holds it back: it is given to no node until it is resumed."""
    RUNNING = "running"
    """A node holds a lease on it."""
    COMPLETED = "completed"
    """Its output was produced and verified."""
    FAILED = "failed"
    """It will not be tried again by itself; `Job.error` says why."""
    CANCELED = "canceled"
    """A person ended it."""

    @property
    def final(self) -> bool:
        """Whether the job can never change its status again."""
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED)


class NodeStatus(StrEnum):
    """What a node can be given. Derived from its record, never stored."""

    AVAILABLE = "available"
    """Approved, heard from lately, and has a free slot."""
    BUSY = "busy"
    """As many jobs are running on it as it wants."""
    DRAINING = "draining"
    """Finishes what it has and gets nothing new."""
    QUARANTINED = "quarantined"
    """Failed several different jobs in a row: gets nothing new until an operator puts it back."""
    OFFLINE = "offline"
    """Not heard from for the heartbeat time-out; its jobs went back."""
    UNAPPROVED = "unapproved"
    """Registered from another machine; an operator has yet to approve it."""


class NodeType(StrEnum):
    """What kind of machine a node is (see `agent.hardware.node_type`)."""

    LAPTOP = "laptop"
    SERVER = "server"
    DESKTOP = "desktop"


class Priority(StrEnum):
    """Which pending jobs go first; equal ones go in the order of submission."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 goes first."""
        return list(Priority).index(self)


class Confidence(StrEnum):
    """How sure the measurement of the encode must be (design, section 8)."""

    AUTO = "auto"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Outcome(StrEnum):
    """How an attempt ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    """The node reported an error."""
    LOST = "lost"
    """The lease ended without a report: node gone, agent restarted, or hung."""
    HANDED_BACK = "handed_back"
    """The node gave the job back unharmed (it is stopping); uses up no attempt."""
    CANCELED = "canceled"


class Role(StrEnum):
    """Who a caller is."""

    OPERATOR = "operator"
    """May do everything."""
    NODE = "node"
    """An agent: may touch itself and the jobs it holds."""
    ANYONE = "anyone"
    """No credential: may ask for health and register."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt or a job failed."""

    code: str
    """One of `common.failures.KINDS`."""
    message: str
    """A sentence a person can act on."""


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a node must have to run a job. Hashable: pending jobs are grouped by them."""

    labels: tuple[tuple[str, str], ...] = ()
    """Labels (sorted key, value pairs) that the node must carry."""
    encoders: tuple[str, ...] = ()
    """ffmpeg encoders (sorted) that must have passed a trial encode on the node."""
    gpu: bool = False
    """Whether the node must have a GPU."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a machine is and can really encode. Unknown is None."""

    type: NodeType | None = None
    cpu_threads: int | None = None
    cpu_model: str | None = None
    ram_bytes: int | None = None
    has_gpu: bool | None = None
    gpu_model: str | None = None
    has_battery: bool | None = None
    encoders: tuple[str, ...] | None = None
    """Encoders that passed a trial encode; None if nobody tried."""
    ffmpeg_version: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a job on one node, from claim to end."""

    number: int
    """1 for the first; never used twice for one job."""
    lease_id: str
    """Proves that a report belongs to this attempt."""
    node_id: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    """None while it runs."""
    error: Failure | None = None
    report_digest: str | None = None
    """SHA-256 of the accepted report, to tell a repeat from a contradiction."""


@dataclass(frozen=True, slots=True)
class Job:
    """One encode that somebody asked for, and all that is known of it."""

    id: str
    seq: int
    """Order of submission; the queue's order among equal priorities."""
    scenario: str
    confidence: Confidence
    parameters: Mapping[str, Scalar]
    """What was asked for, as it was asked; defaults are the scenario's."""
    priority: Priority
    constraints: Constraints
    created_at: datetime
    max_attempts: int
    status: JobStatus = JobStatus.PENDING
    attempts: tuple[Attempt, ...] = ()
    idempotency_key: str | None = None
    """The client's name for the request that made it: a repeat finds this job."""
    request_digest: str | None = None
    """SHA-256 of that request's body."""
    retry_of: str | None = None
    """The finished job that this one repeats."""
    retry_delay: float = 0.0
    """Seconds of backoff before the next attempt, counted from the last one's end."""
    finished_at: datetime | None = None
    error: Failure | None = None
    """Why it failed or was canceled, or why the last attempt ended."""
    metrics: Mapping[str, Scalar] | None = None
    """What was produced and what it cost (`common.result`); None until reported."""
    analyzer_output: Mapping[str, Scalar] | None = None
    """What follows from the metrics (`common.analyzer`)."""

    @property
    def attempt(self) -> Attempt | None:
        """The newest attempt, running or ended."""
        return self.attempts[-1] if self.attempts else None

    @property
    def lease(self) -> Attempt | None:
        """The attempt that is running now."""
        return self.attempt if self.status is JobStatus.RUNNING else None

    @property
    def retry_count(self) -> int:
        """Attempts after the first; those handed back are not counted."""
        return max(0, self.attempts_used - 1)

    @property
    def attempts_used(self) -> int:
        """Attempts that count against `max_attempts`: not those handed back."""
        return sum(1 for a in self.attempts if a.outcome is not Outcome.HANDED_BACK)


@dataclass(frozen=True, slots=True)
class Node:
    """A worker machine's agent, as registered."""

    id: str
    address: str
    """The name people know it by; not necessarily resolvable."""
    hardware: Hardware
    labels: Mapping[str, str]
    registered_at: datetime
    max_concurrent_jobs: int = 1
    """Its slots."""
    run_unlabeled: bool = True
    """False: takes only jobs that ask for at least one of its labels."""
    agent_version: str | None = None
    instance: str | None = None
    """Names the agent's process: another one means that it was restarted."""
    credential_hash: str | None = None
    """SHA-256 of its credential; None if it got none (registered by hand)."""
    approved: bool = False
    draining: bool = False
    """An operator wants it to get nothing new."""
    stopping: bool = False
    """Its agent is ending: nothing new until it registers again."""
    lost: bool = False
    """Missed its heartbeats. Set by the reaper, cleared when it is heard again."""
    registered_above: int = 0
    """`FarmState.attempts_above` when it registered: if that is higher now, the history in which it
    may have registered anew was lost, and another instance of it is no stranger."""
    failing: tuple[str, ...] = ()
    """The different jobs that failed on it since one was completed: evidence against it."""
    quarantined: str | None = None
    """Why it was set aside; None if it is not. Set by the lifecycle, cleared by an operator."""
    last_seen: datetime | None = None
    """When it was heard last, as known when it was lost; newer ones are in memory only."""

    def status(self, running: int) -> NodeStatus:
        """Its status while it holds `running` leases."""
        if not self.approved:
            return NodeStatus.UNAPPROVED
        if self.lost:
            return NodeStatus.OFFLINE
        if self.quarantined is not None:
            return NodeStatus.QUARANTINED
        if self.draining or self.stopping:
            return NodeStatus.DRAINING
        return NodeStatus.BUSY if running >= self.max_concurrent_jobs else NodeStatus.AVAILABLE


@dataclass(frozen=True, slots=True)
class FarmState:
    """What holds for the whole farm; there is one record of it."""

    id: str = "farm"
    paused: bool = False
    """The queue is paused: no job is given to any node."""
    starts: tuple[tuple[str, int], ...] = ()
    """The newest starts of the master: its name, and how long the history was before it."""
    attempts_above: int = 0
    """New attempts get higher numbers than this: an older copy of the state was restored, and
    agents may still run attempts that it does not know of. No attempt is numbered higher than
    the history was long when it was given."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running attempt is. Kept in memory only. Unknown is None."""

    frame: int | None = None
    fps: float | None = None
    """Frames encoded per second of wall time."""
    speed: float | None = None
    """Seconds of video encoded per second of wall time."""
    out_time: float | None = None
    """Seconds of video encoded so far."""
    percent: float | None = None
    """0 to 100, of the duration asked for."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a node says at the end of an attempt."""

    job_id: str
    node_id: str
    status: JobStatus
    """`completed` or `failed`."""
    lease_id: str | None = None
    """None in a plain report: then the node's current lease is meant."""
    attempt: int | None = None
    error: Failure | None = None
    metrics: Mapping[str, Scalar] = field(default_factory=dict)
    analyzer_output: Mapping[str, Scalar] = field(default_factory=dict)
    digest: str = ""
    """SHA-256 over all of the above, made where the report is parsed."""
