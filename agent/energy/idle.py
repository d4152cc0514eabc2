"""How much power the node takes when it has nothing to do: measured, again and again."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Protocol

from agent.energy.counters import Counter
from agent.energy.meter import Stretch

log = logging.getLogger(__name__)

SETTLE = 10.0
"""Seconds without a job before a stretch begins: caches are written, clocks and fans slow down."""
STRETCH = 10.0
"""Seconds that one measurement takes."""
PERIOD = 60.0
"""Seconds between two of them, once there are enough."""
LEAST = 3
"""Stretches that a baseline takes."""
KEPT = 15
"""Stretches that it is the median of: the newest."""
OLDEST = 24 * 3600.0
"""Seconds after which a stretch says nothing of today."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The power of the idle node."""

    watts: float
    stretches: int
    age: float
    """Seconds since the newest of them."""

    def describe(self) -> str:
        """For people, in the result's note."""
        return (
            f"idle: {self.watts:.4g} W, the median of {self.stretches} stretches of {STRETCH:.0f} s, "
            f"the newest {self.age:.0f} s before the encode"
        )


class Jobs(Protocol):
    """What is asked of the agent's running jobs (`agent.running.RunningJobs`)."""

    def wait_until_none(self, timeout: float) -> bool: ...  # noqa: D102 - explained there
    def wait_until_some(self, timeout: float) -> bool: ...  # noqa: D102 - as above


class IdleMeter:
    """Measures the idle power in a thread of its own, and stops at once when a job comes."""

    def __init__(self, counters: Sequence[Counter], clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is known yet. `clock`: seconds."""
        self._counters = counters
        self._clock = clock
        self._lock = threading.Lock()
        self._watts: deque[tuple[float, float]] = deque(maxlen=KEPT)  # when, how much

    def baseline(self) -> Baseline | None:
        """The median of the newest stretches; None if there are too few of them, or they are too old."""
        now = self._clock()
        with self._lock:
            fresh = [(at, watts) for at, watts in self._watts if now - at <= OLDEST]
        if len(fresh) < LEAST:
            return None
        return Baseline(median(watts for _, watts in fresh), len(fresh), now - fresh[-1][0])

    def note(self, watts: float) -> None:
        """The node was idle just now, and took this much."""
        with self._lock:
            self._watts.append((self._clock(), watts))

    def go_on(self, jobs: Jobs, ended: threading.Event) -> None:
        """The thread: measure whenever there is no job, until `ended`."""
        while self._counters and not ended.is_set():
            if not jobs.wait_until_none(PERIOD) or jobs.wait_until_some(SETTLE):
                continue
            if self._measure(jobs, ended) and self.baseline() is not None:
                ended.wait(PERIOD)

    def _measure(self, jobs: Jobs, ended: threading.Event) -> bool:
        """Whether a whole stretch went by without a job."""
        stretch = Stretch(self._counters)
        try:
            if jobs.wait_until_some(STRETCH) or ended.is_set():
                return False
            read = stretch.end()
        finally:
            stretch.stop()
        if read.joules is None:
            log.debug("The idle power could not be measured: %s", read.note)
            ended.wait(PERIOD)
            return False
        self.note(read.joules / read.seconds)
        return True
