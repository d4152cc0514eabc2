"""The words that several records use."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

Scalar = str | int | float | bool | None
"""A JSON value without structure, as metrics use it."""
Value = Scalar | tuple[str, ...]
"""A job parameter: a JSON value without structure, or a list of texts."""


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
    REVOKED = "revoked"
    """An operator revoked its credential: it is turned away, and gets nothing any more."""


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
        return _RANKS[self.value]


_RANKS = {each.value: rank for rank, each in enumerate(Priority)}


class Confidence(StrEnum):
    """How sure the measurement of the encode must be (design, section 8)."""

    AUTO = "auto"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Stage(StrEnum):
    """What the next attempt of a job does."""

    ENCODE = "encode"
    """It encodes: all that most jobs ever do."""
    PLAN = "plan"
    """It looks at the input, so that the master can divide the job into parts."""
    PROBE = "probe"
    """It encodes samples with one CRF and measures them, for the job that it is a part of."""
    LOOK = "look"
    """It looks how hard a chunk is, before bits are given to it: the first of two passes."""
    CHUNK = "chunk"
    """It encodes the frames of `Job.window`, for the job that it is a part of."""
    SOUND = "sound"
    """It encodes all but the picture: sound, subtitles, chapters."""
    JOIN = "join"
    """It puts together what the parts have made; the job waits until they are completed."""

    @property
    def between(self) -> bool:
        """Whether what it makes is on the way to an output, and none itself."""
        return self in (Stage.PROBE, Stage.LOOK, Stage.CHUNK, Stage.SOUND)


class EnergySource(StrEnum):
    """What the energy of a node's encodes comes from."""

    RAPL = "rapl"
    """The processor's own counters."""
    GPU = "gpu"
    """The graphics cards' own counters."""
    BOTH = "rapl+gpu"
    MODEL = "model"
    """An estimate, by the operator's power model of the node; nothing is measured."""


class Outcome(StrEnum):
    """How an attempt ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    """The node reported an error."""
    LOST = "lost"
    """The lease ended without a report: node gone, agent restarted, or hung."""
    DIVIDED = "divided"
    """It looked at the input, and the job was divided into parts; uses up no attempt."""
    HANDED_BACK = "handed_back"
    """The node gave the job back unharmed (it is stopping); uses up no attempt."""
    CANCELED = "canceled"
