"""What the rules may look at, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from common.model import FarmState, Job, Node, Token, Webhook


class Links(Protocol):
    """Which jobs depend on which, to be looked up: there may be too many to lay all of them out.

    It answers how things stood before the command, whatever was decided meanwhile.
    """

    def job(self, job_id: str) -> Job | None:
        """The job with this id."""

    def dependents(self, job_id: str) -> Sequence[Job]:
        """The unfinished jobs that depend on a job, in the order of their submission."""

    def unmet(self, job_id: str) -> int:
        """How many of the jobs that a waiting job depends on are not completed."""

    def family(self, job_id: str) -> Sequence[Job]:
        """All jobs of the family that a job belongs to; empty if it belongs to none."""


class _NoLinks:
    """Nothing depends on anything."""

    def job(self, _job_id: str) -> Job | None:
        return None

    def dependents(self, _job_id: str) -> Sequence[Job]:
        return ()

    def unmet(self, _job_id: str) -> int:
        return 0

    def family(self, _job_id: str) -> Sequence[Job]:
        return ()


NO_LINKS: Links = _NoLinks()


@dataclass(frozen=True, slots=True)
class View:
    """The records that a command concerns, and the terms that hold; `decide` sees nothing else."""

    job: Job | None = None
    node: Node | None = None
    held: tuple[Job, ...] = ()
    """The jobs that run on `node`."""
    token: Token | None = None
    webhook: Webhook | None = None
    farm: FarmState = field(default_factory=FarmState)
    family: tuple[Job, ...] = ()
    """All jobs of the families that `job` and `held` belong to; empty where nobody has parts."""
    links: Links = NO_LINKS
    """Which jobs depend on which."""
    next_seq: int = 0
    """The place in the queue that the next submitted job gets."""
    silence: float = 0.0
    """Seconds since `node` was heard."""
    backoff: float = 5.0
    """Seconds before an attempt that follows a failure; they double with each."""
    patience: float = 90.0
    """Seconds of silence after which a node is taken for gone."""
    quarantine_after: int = 3
    """Agents that a job may lose, and different jobs in a row that may fail on a node, before the
    job or the node is set aside; 0: any number."""
    credential_ttl: float = 90 * 86400.0
    """Seconds that a new credential of a node is valid."""

    def the_job(self) -> Job:
        """The job, for commands that concern one."""
        assert self.job is not None  # noqa: S101 - the service looked it up, or answered unknown_job
        return self.job

    def the_node(self) -> Node:
        """The node, for commands that concern one."""
        assert self.node is not None  # noqa: S101 - the service looked it up, or answered unknown_node
        return self.node

    def the_token(self) -> Token:
        """The token, for commands that concern one."""
        assert self.token is not None  # noqa: S101 - the service looked it up, or answered unknown_token
        return self.token

    def the_webhook(self) -> Webhook:
        """The webhook, for commands that concern one."""
        assert self.webhook is not None  # noqa: S101 - the service looked it up, or answered unknown_webhook
        return self.webhook
