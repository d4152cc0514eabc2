"""Signs of life: heartbeats, lease renewals and progress. In memory only, by design.

After a restart nothing is known, and whoever is asked about is taken as heard of now:
so every lease and every node gets a full term.
"""

from __future__ import annotations

from datetime import datetime

from common.model import Now, Progress
from common.progress import after, aged
from master.store.samples import Samples


class Liveness:
    """Single dict operations only, which are atomic: no lock is needed."""

    def __init__(self) -> None:
        self._nodes: dict[str, float] = {}
        self._nodes_wall: dict[str, datetime] = {}
        self._leases: dict[str, float] = {}
        self._progress: dict[str, tuple[float, Progress]] = {}
        """When it was told, on the monotonic clock, and what."""
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

    def set_progress(self, lease_id: str, progress: Progress, now: Now) -> Progress:
        """The attempt with this lease has just said that it is so far; what is shown of it."""
        shown = after(progress, self.progress(lease_id, now))
        self._progress[lease_id] = now.mono, shown
        return shown

    def progress(self, lease_id: str, now: Now) -> Progress | None:
        """How far the attempt with this lease is by now, if it said so."""
        told = self._progress.get(lease_id)
        return None if told is None else aged(told[1], now.mono - told[0])

    def forget_lease(self, lease_id: str) -> None:
        """The attempt ended."""
        self._leases.pop(lease_id, None)
        self._progress.pop(lease_id, None)

    def forget_node(self, node_id: str) -> None:
        """The node was removed."""
        self._nodes.pop(node_id, None)
        self._nodes_wall.pop(node_id, None)
        self.samples.forget(node_id)
