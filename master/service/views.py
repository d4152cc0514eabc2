"""Who asks, and what is shown: records with what only the moment knows of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from common import problems
from common.history import History
from common.model import (
    Actor,
    Job,
    Load,
    Node,
    NodeStatus,
    Progress,
    Role,
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks (`master.auth` finds out)."""

    role: Role
    node_id: str | None = None
    """The node whose credential was shown."""
    credential_hash: str | None = None
    """SHA-256 of that credential; of one that is not known, where a node registers."""
    token_id: str | None = None
    """The token that was shown."""
    name: str | None = None
    """The name of the token that was shown; None if it was none."""
    address: str | None = None
    """Where it calls from."""
    instance: str | None = None
    """Which process of an agent calls; None if it does not say."""
    replaces: str | None = None
    """The instance that a registering agent knows to have ended."""
    protocol: int | None = None
    """What it speaks (`common.version`); None if it does not say."""
    heard: History | None = None
    """The history that it was told of last."""
    request_id: str | None = None
    """What this request is called; None: it is none."""

    def introduced(
        self,
        instance: str | None,
        replaces: str | None,
        protocol: int | None,
        heard: History | None,
        request_id: str,
    ) -> Caller:
        """The same, with what it says of itself. `dataclasses.replace` takes three times as long."""
        return Caller(
            self.role,
            self.node_id,
            self.credential_hash,
            self.token_id,
            self.name,
            self.address,
            instance,
            replaces,
            protocol,
            heard,
            request_id,
        )

    @property
    def actor(self) -> Actor:
        """As the audit names the caller."""
        name = self.name if self.node_id is None else f"node:{self.node_id}"
        return Actor(name or self.role.value, self.address)

    @property
    def owner(self) -> str | None:
        """Whom the jobs belong to that it queues, and whose it may see; None: it is no submitter."""
        return self.name if self.role is Role.SUBMITTER else None

    def speaks_for(self, node_id: str) -> None:
        """`forbidden` unless the caller is that node, or an operator."""
        if self.role is not Role.OPERATOR and self.node_id != node_id:
            raise problems.FORBIDDEN("A node may speak for itself only.")


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node with what only the moment knows of it."""

    node: Node
    held: tuple[Job, ...]
    """The jobs that it runs."""
    last_heartbeat: datetime | None
    load: Load | None = None

    @property
    def running(self) -> int:
        """How many jobs it runs."""
        return len(self.held)

    @property
    def status(self) -> NodeStatus:
        """Its status now."""
        return self.node.status(self.node.slots_taken(self.held))


@dataclass(frozen=True, slots=True)
class JobView:
    """A job with what only the moment knows of it."""

    job: Job
    progress: Progress | None = None
    pending_reason: str | None = None
    lease_expires_in: float | None = None
    """Seconds, while it runs."""
    parts: tuple[Job, ...] = ()
    """What a node is to join, or to begin from."""
    source: str | None = None
    """What is known of the whole input, where it is encoded in chunks."""
    hand_on: bool = False
    """Whether a plan has to put the input into the file store."""
