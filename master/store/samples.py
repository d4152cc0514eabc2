"""How busy each node was lately: a bounded ring for each, in memory only, as heartbeats tell it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from common.model import Load, Now, Progress

KEPT = 120
"""Samples of a node: an hour, at the usual heartbeat of 30 s."""
APART = 10.0
"""Seconds that two kept samples are apart at least: who beats faster keeps no shorter time."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A node at one moment. Unknown is None."""

    at: datetime
    mono: float
    load: Load
    running: int
    """Jobs that it ran."""
    fps: float | None
    """Frames encoded per second, by all its jobs together; None if none of them said."""
    speed: float | None
    """Seconds of video encoded per second, likewise."""


def sample(now: Now, load: Load | None, running: int, progress: Iterable[Progress | None]) -> Sample:
    """A node that runs so many jobs, which are so far."""
    known = [each for each in progress if each is not None]
    return Sample(
        at=now.wall,
        mono=now.mono,
        load=load or Load(),
        running=running,
        fps=_sum(each.fps for each in known),
        speed=_sum(each.speed for each in known),
    )


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


class Samples:
    """The rings of all nodes. Each is replaced as a whole or grows at its end: no lock is needed."""

    def __init__(self) -> None:
        self._rings: dict[str, deque[Sample]] = {}
        self._newest: dict[str, Sample] = {}

    def add(self, node_id: str, taken: Sample) -> None:
        """The newest of a node; it is kept if the last kept one is old enough."""
        self._newest[node_id] = taken
        ring = self._rings.setdefault(node_id, deque(maxlen=KEPT))
        if not ring or taken.mono - ring[-1].mono >= APART:
            ring.append(taken)

    def load(self, node_id: str) -> Load | None:
        """The newest load of a node; None if it did not say."""
        newest = self._newest.get(node_id)
        return None if newest is None or newest.load == Load() else newest.load

    def of(self, node_id: str) -> list[Sample]:
        """What is kept of a node, oldest first."""
        return list(self._rings.get(node_id, ()))

    def forget(self, node_id: str) -> None:
        """The node was removed."""
        self._rings.pop(node_id, None)
        self._newest.pop(node_id, None)
