"""Signs of life: heartbeats, lease renewals and progress. In memory only, by design.

After a restart nothing is known, and whoever is asked about is taken as heard of now:
so every lease and every node gets a full term.
"""

from __future__ import annotations

from datetime import datetime

from common.model import Now, Progress
from master.store.samples import Samples


class Liveness:
    """Single dict operations only, which are atomic: no lock is needed."""

    def __init__(self) -> None:
        self._nodes: dict[str, float] = {}
        self._nodes_wall: dict[str, datetime] = {}
        self._leases: dict[str, float] = {}
        self._progress: dict[str, Progress] = {}
        self.samples = Samples()

    def hear(self, node_id: str, now: Now) -> None:
        """A node gave a sign of life."""
        self._nodes[node_id] = now.mono
        self._nodes_wall[node_id] = now.wall

    def last_heard(self, node_id: str) -> datetime | None:
        """When a node was heard last; None if not since the master started."""
        return self._nodes_wall.get(node_id)

    def silence(self, node_id: str, now: Now) -> float:
        """Seconds since a node was heard; asking starts the count."""
        return now.mono - self._nodes.setdefault(node_id, now.mono)

    def start_anew(self) -> None:
        """Nobody could be heard for a while, by no fault of theirs: each node and lease gets a full term."""
        self._nodes.clear()
        self._leases.clear()

    def renew(self, lease_id: str, now: Now) -> None:
        """A lease was heard of."""
        self._leases[lease_id] = now.mono

    def lease_age(self, lease_id: str, now: Now) -> float:
        """Seconds since a lease was given or renewed; asking starts the count."""
        return now.mono - self._leases.setdefault(lease_id, now.mono)

    def set_progress(self, lease_id: str, progress: Progress) -> None:
        """How far the attempt with this lease is."""
        self._progress[lease_id] = progress

    def progress(self, lease_id: str) -> Progress | None:
        """How far the attempt with this lease is, if it said so."""
        return self._progress.get(lease_id)

    def forget_lease(self, lease_id: str) -> None:
        """The attempt ended."""
        self._leases.pop(lease_id, None)
        self._progress.pop(lease_id, None)

    def forget_node(self, node_id: str) -> None:
        """The node was removed."""
        self._nodes.pop(node_id, None)
        self._nodes_wall.pop(node_id, None)
        self.samples.forget(node_id)
