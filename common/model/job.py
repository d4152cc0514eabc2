"""Jobs, their attempts, and how they end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from common.model.findings import NO_FINDINGS, Findings
from common.model.split import Window
from common.model.words import Confidence, JobStatus, Outcome, Priority, Scalar, Stage, Value


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
    input: str | None = None
    """Where its input lies, as `common.inputs` has it: `media:films`, `https://example.com`. None:
    it needs none."""
    output: str | None = None
    """Where its output goes, likewise: `media:finished`, `rtmp://live.example.com`. None: anywhere."""
    alone: bool = False
    """Whether nothing else may run on the node meanwhile, since it would disturb what is measured."""
    protocol: int = 0
    """The protocol (`common.version.PROTOCOL`) that the node's agent must speak at least."""


def runs_alone(confidence: Confidence, parameters: Mapping[str, Value]) -> bool:
    """Whether what is to be measured is lost if anything else runs on the node."""
    return confidence is not Confidence.AUTO or parameters.get("energy") is True


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
    parameters: Mapping[str, Value]
    """What was asked for, as it was asked; defaults are the scenario's."""
    priority: Priority
    constraints: Constraints
    created_at: datetime
    max_attempts: int
    status: JobStatus = JobStatus.PENDING
    attempts: tuple[Attempt, ...] = ()
    input: str | None = None
    """What is encoded, as it was asked for (`common.inputs`); None: a picture that ffmpeg makes."""
    output: str | None = None
    """Where what it makes goes, as it was asked for (`common.outputs`); None: it stays on the node."""
    owner: str | None = None
    """The submitter that it belongs to (the name of its token); None: it is the operators'."""
    idempotency_key: str | None = None
    """The client's name for the request that made it: a repeat finds this job."""
    request_digest: str | None = None
    """SHA-256 of that request's body."""
    request_id: str | None = None
    """The request that submitted it; None: nobody knows any more."""
    retry_of: str | None = None
    """The finished job that this one repeats."""
    parent_id: str | None = None
    """The job that it is a part of."""
    part: str | None = None
    """Which part of that job it is, such as `720p`."""
    stage: Stage = Stage.ENCODE
    parts: tuple[str, ...] = ()
    """The names of the parts that it was divided into."""
    awaits_parts: bool = False
    """Whether some of them are not completed yet: until they are, no node gets it."""
    window: Window | None = None
    """The frames that it encodes, where it is a chunk."""
    depends_on: tuple[str, ...] = ()
    """The ids of jobs that must be completed before it begins; it can be handed what they made."""
    awaits_jobs: bool = False
    """Whether some of these are not completed yet: until they are, no node gets it."""
    twin_of: str | None = None
    """The slow part that it runs once more, on another node: the first to be completed counts."""
    awaits_twin: bool = False
    """Whether it has failed for good, unless its twin is completed: no node gets it."""
    place: int | None = None
    """Its place in the queue, where that is not its `seq`: a part goes where its parent goes."""
    retry_delay: float = 0.0
    """Seconds of backoff before the next attempt, counted from the last one's end."""
    finished_at: datetime | None = None
    error: Failure | None = None
    """Why it failed or was canceled, or why the last attempt ended."""
    metrics: Mapping[str, Scalar] | None = None
    """What was produced and what it cost (`common.result`); None until reported."""
    analyzer_output: Mapping[str, Scalar] | None = None
    """What follows from the metrics (`common.analyzer`)."""
    findings: Findings = NO_FINDINGS
    """What else came to light; empty until reported."""

    @property
    def attempt(self) -> Attempt | None:
        """The newest attempt, running or ended."""
        return self.attempts[-1] if self.attempts else None

    @property
    def waits_for_a_node(self) -> bool:
        """Whether it may be given to a node, now or after its backoff."""
        waits = self.awaits_parts or self.awaits_jobs or self.awaits_twin
        return self.status is JobStatus.PENDING and not waits

    @property
    def is_by_twin(self) -> bool:
        """Whether it is its twin that completed it, and none of its own attempts."""
        own = self.attempt is not None and self.attempt.outcome is Outcome.COMPLETED
        return self.status is JobStatus.COMPLETED and not own

    @property
    def turn(self) -> tuple[int, int]:
        """Its place among the jobs of its priority: smaller goes first."""
        return (self.seq if self.place is None else self.place, self.seq)

    @property
    def lease(self) -> Attempt | None:
        """The attempt that is running now."""
        return self.attempt if self.status is JobStatus.RUNNING else None

    @property
    def retry_count(self) -> int:
        """Attempts after the first; those that use up none are not counted."""
        return max(0, self.attempts_used - 1)

    @property
    def attempts_used(self) -> int:
        """Attempts that count against `max_attempts`: not those handed back, nor one that divided it."""
        return sum(1 for a in self.attempts if a.outcome not in (Outcome.HANDED_BACK, Outcome.DIVIDED))


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
    """How much of the time of the whole attempt is over: 0 to 100, and below 100 until its end."""
    seconds_left: float | None = None
    """Seconds until the attempt ends (`common.estimate`)."""


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
    findings: Findings = NO_FINDINGS
    digest: str = ""
    """SHA-256 over all of the above, made where the report is parsed."""
