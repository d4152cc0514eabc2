"""Who may do what, and who did it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """Who a caller is."""

    OPERATOR = "operator"
    """May do everything."""
    SUBMITTER = "submitter"
    """May queue jobs, and see and steer those that it queued."""
    VIEWER = "viewer"
    """May see everything but secrets, and change nothing."""
    NODE = "node"
    """An agent: may touch itself and the jobs it holds."""
    JOIN = "join"
    """Holds a join token: may register a node, which then needs nobody's approval."""
    ANYONE = "anyone"
    """No credential: may ask for health and register."""


TOKEN_ROLES = (Role.JOIN, Role.SUBMITTER, Role.VIEWER, Role.OPERATOR)
"""The roles that a token may have."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who brought something about: the audit names it, and jobs belong to it."""

    name: str
    """`operator`, `node:<id>`, the name of a token, or `master` for what time alone brings about."""
    address: str | None = None
    """Where the request came from; None if there was none."""


MASTER = Actor("master")
"""The master itself: leases that end, nodes that fall silent, what is archived."""


class TokenStatus(StrEnum):
    """What a token is worth. Derived from its record and the time, never stored."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"
    """An operator ended it."""
    USED_UP = "used_up"
    """A join token that let in as many nodes as it was made for."""


@dataclass(frozen=True, slots=True)
class Token:
    """A secret that an operator made for somebody: who shows it may do what its role may."""

    id: str
    name: str
    """Who acts with it, as the audit and `Job.owner` have it. Several tokens may share one."""
    role: Role
    secret_hash: str
    """SHA-256 of its secret, which the master does not keep."""
    created_at: datetime
    expires_at: datetime
    uses_left: int | None = None
    """Nodes that a join token may still let in; None: any number."""
    used_at: datetime | None = None
    """When a join token let a node in last."""
    revoked_at: datetime | None = None

    def status(self, now: datetime) -> TokenStatus:
        """What it is worth at `now`."""
        if self.revoked_at is not None:
            return TokenStatus.REVOKED
        if self.uses_left == 0:
            return TokenStatus.USED_UP
        return TokenStatus.EXPIRED if self.expires_at <= now else TokenStatus.ACTIVE

    def ended_at(self, now: datetime) -> datetime | None:
        """Since when it is worth nothing; None while it is active."""
        ends = {
            TokenStatus.ACTIVE: None,
            TokenStatus.EXPIRED: self.expires_at,
            TokenStatus.REVOKED: self.revoked_at,
            TokenStatus.USED_UP: self.used_at,
        }
        return ends[self.status(now)]
