"""Nodes, and what holds for the whole farm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from common.model.job import Job
from common.model.words import EnergySource, NodeStatus, NodeType

_alone = attrgetter("constraints.alone")


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
    encoder_failures: Mapping[str, str] | None = None
    """By encoder that failed its trial: why, in ffmpeg's words; None if its agent does not say."""
    ffmpeg_version: str | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a machine is, all its programs together. Kept in memory only. Unknown is None."""

    cpu: float | None = None
    """The part of all CPUs' time that was used since the heartbeat before, 0 to 1."""
    memory: float | None = None
    """The part of the memory that is used, 0 to 1."""


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
    media_roots: tuple[str, ...] | None = None
    """The names of the media roots that it reads inputs from; None: its agent does not say."""
    input_hosts: tuple[str, ...] | None = None
    """Patterns of the hosts that it fetches inputs from; None: its agent does not say."""
    output_roots: tuple[str, ...] | None = None
    """The names of the media roots that it writes outputs to; None: its agent does not say."""
    output_hosts: tuple[str, ...] | None = None
    """Patterns of the hosts that it streams to; None: its agent does not say."""
    energy_source: EnergySource | None = None
    """What tells there how much energy an encode uses; None: nothing, as far as its agent says."""
    protocol: int = 0
    """The protocol (`common.version.PROTOCOL`) that its agent speaks; 0: it does not say."""
    instance: str | None = None
    """Names the agent's process: another one means that it was restarted."""
    credential_hash: str | None = None
    """SHA-256 of its credential; None if it got none (registered by hand)."""
    credential_expires_at: datetime | None = None
    """None: never, since its agent is too old to replace it."""
    replaced_hash: str | None = None
    """SHA-256 of the credential before, while the new one has not been used yet."""
    replaced_expires_at: datetime | None = None
    """Until when that one is valid all the same."""
    revoked_at: datetime | None = None
    """When an operator ended its credential: the node is turned away, for good."""
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

    def is_known_by(self, digest: str | None) -> bool:
        """Whether this is the SHA-256 of a credential of its own, valid or not."""
        return digest is not None and digest in (self.credential_hash, self.replaced_hash)

    def expiry_of(self, digest: str | None) -> datetime | None:
        """When the credential with this SHA-256 expires; None: never."""
        return self.replaced_expires_at if digest == self.replaced_hash else self.credential_expires_at

    def slots_taken(self, held: Sequence[Job]) -> int:
        """How many of its slots `held`, the jobs that run on it, take: one that runs alone takes all."""
        if any(map(_alone, held)):
            return max(self.max_concurrent_jobs, len(held))
        return len(held)

    def status(self, running: int) -> NodeStatus:
        """Its status while `running` of its slots are taken (`slots_taken`)."""
        if self.revoked_at is not None:
            return NodeStatus.REVOKED
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
