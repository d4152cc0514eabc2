"""Reads energy counters from one moment to another, often enough that none wraps unseen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.energy.counters import Counter, advance, source_of, total
from common.model import EnergySource

SAMPLE_INTERVAL = 5.0
"""Seconds between two readings. The smallest range known (65.5 kJ) would take 13 kW to wrap in it."""
_SLEPT = 0.5
"""Seconds by which the two clocks may drift apart while nobody sleeps."""


def _clock() -> tuple[float, float]:
    """Seconds: on a clock that stands while the machine sleeps, and on one that does not."""
    return time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class Reading:
    """What counters said of a stretch of time."""

    seconds: float
    joules: float | None
    """None: it could not be told."""
    source: EnergySource | None
    note: str
    """Which counters are in the sum; or why there is none."""


class Stretch:
    """A measurement under way, from when it is made to `end`."""

    def __init__(
        self,
        counters: Sequence[Counter],
        interval: float = SAMPLE_INTERVAL,
        clock: Callable[[], tuple[float, float]] = _clock,
    ) -> None:
        """Reads all counters for the first time, and goes on in a thread."""
        self._counters = counters
        self._clock = clock
        self._microjoules = dict.fromkeys(counters, 0)
        self._newest: dict[Counter, int] = {}
        self._lost: str | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.sample()
        self._begun = clock()
        self._thread = threading.Thread(target=self._go_on, args=(interval,), name="energy", daemon=True)
        self._thread.start()

    def sample(self) -> None:
        """Read all counters, and add what they have counted since the last time."""
        with self._lock:
            for counter in self._counters:
                try:
                    now = counter.read()
                except OSError as error:
                    self._lost = self._lost or (
                        f"the energy counter {counter.name} could not be read any more: {error}"
                    )
                    continue
                before = self._newest.get(counter, now)
                self._microjoules[counter] += advance(before, now, counter.modulus)
                self._newest[counter] = now

    def end(self) -> Reading:
        """Read all counters for the last time; what was used since the first."""
        self.sample()
        steady, asleep = self._clock()
        seconds, passed = steady - self._begun[0], asleep - self._begun[1]
        self.stop()
        why_not = self._lost
        if passed - seconds > _SLEPT:
            why_not = "the machine slept meanwhile, and its counters may have begun anew"
        if why_not is not None:
            return Reading(seconds, None, None, why_not)
        joules, names = total({c: counted / 1e6 for c, counted in self._microjoules.items()})
        return Reading(seconds, joules, source_of(self._counters), f"counters: {', '.join(names)}")

    def stop(self) -> None:
        """Read nothing more."""
        self._ended.set()
        self._thread.join()

    def _go_on(self, interval: float) -> None:
        while not self._ended.wait(interval):
            self.sample()
