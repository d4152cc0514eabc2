"""Who may do what, and who did it."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Actor:
    """Who brought something about: the audit names it, and jobs belong to it."""

    name: str
    """`operator`, `node:<id>`, the name of a token, or `master` for what time alone brings about."""
    address: str | None = None
    """Where the request came from; None if there was none."""


MASTER = Actor("master")
"""The master itself: leases that end, nodes that fall silent, what is archived."""
