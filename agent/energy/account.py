"""The energy of one encode: from counters if they can tell, else by the operator's model, else not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import psutil

from agent.energy.cost import Prices
from agent.energy.counters import Found, source_of
from agent.energy.idle import Baseline, IdleMeter
from agent.energy.meter import Reading, Stretch
from agent.energy.model import PowerModel
from common.model import EnergySource

OTHERS_CORES = 0.25
"""Cores that other programs may keep busy beside an encode without disturbing its energy."""
OTHERS_SHARE = 0.1
"""Or this share of what the encode keeps busy, if that is more."""
_HARDWARE = ("nvenc", "qsv", "vaapi", "amf", "videotoolbox")
_NO_COUNTER = "this machine has no energy counter that can be read"
_NO_RAPL = Found(missing=_NO_COUNTER)
_NOTHING = Found()
_NO_PRICES = Prices()


class Jobs(Protocol):
    """What is asked of the agent's running jobs (`agent.running.RunningJobs`)."""

    def company(self) -> tuple[int, int]: ...  # noqa: D102 - explained there
    def wait_until_none(self, timeout: float) -> bool: ...  # noqa: D102 - as above
    def wait_until_some(self, timeout: float) -> bool: ...  # noqa: D102 - as above


class NoJobs:
    """Nobody else ever runs."""

    def company(self) -> tuple[int, int]:
        """One job, the one that is measured."""
        return 1, 1

    def wait_until_none(self, timeout: float) -> bool:  # noqa: ARG002 - the protocol has it
        """There are none."""
        return True

    def wait_until_some(self, timeout: float) -> bool:  # noqa: ARG002 - as above
        """There never will be."""
        return False


@dataclass(frozen=True, slots=True)
class Used:
    """What one encode cost, in time and energy. Unknown is None."""

    encoder: str
    cpu_seconds: float
    wall_seconds: float
    others_cpu_seconds: float = 0.0
    """CPU time of all other programs meanwhile."""
    disturbed: str | None = None
    """Why nothing that is counted or estimated is this encode's alone."""


@dataclass(frozen=True, slots=True)
class Energy:
    """The energy of one encode. Unknown is None."""

    joules: float | None = None
    """All that the machine used meanwhile."""
    idle_joules: float | None = None
    """What it would have used without the encode."""
    net_joules: float | None = None
    """The difference."""
    source: EnergySource | None = None
    note: str | None = None
    """How it was obtained, or why it was not."""
    shared: str | None = None
    """Why the node's time is not this encode's alone."""

    def after(self, earlier: Energy) -> Energy:
        """That of both; unknown if either is."""

        def both(one: float | None, other: float | None) -> float | None:
            return None if one is None or other is None else one + other

        return replace(
            self,
            joules=both(self.joules, earlier.joules),
            idle_joules=both(self.idle_joules, earlier.idle_joules),
            net_joules=both(self.net_joules, earlier.net_joules),
            note=self.note if self.joules is not None else earlier.note or self.note,
            shared=self.shared or earlier.shared,
        )


NO_ENERGY = Energy()


@dataclass(frozen=True, slots=True)
class Means:
    """How this node can tell what an encode uses."""

    rapl: Found = _NO_RAPL
    gpu: Found = _NOTHING
    model: PowerModel | None = None
    prices: Prices = _NO_PRICES

    @property
    def counts(self) -> bool:
        """Whether there are counters."""
        return bool(self.rapl.counters or self.gpu.counters)

    @property
    def source(self) -> EnergySource | None:
        """What the energy of encodes comes from here, as results have it; None: nothing tells."""
        model = None if self.model is None else EnergySource.MODEL
        return source_of(self.rapl.counters + self.gpu.counters) or model

    def gap(self, encoder: str) -> str | None:
        """Why the counters of this node miss what `encoder` works on; None if they count it."""
        if not is_hardware(encoder):
            return None if self.rapl.counters else self.rapl.missing or _NO_COUNTER
        if self.gpu.missing is not None:
            return self.gpu.missing
        if encoder.endswith("_nvenc") and not any(c.name.startswith("NVIDIA") for c in self.gpu.counters):
            return "no NVIDIA card here has an energy counter that can be read"
        return None if self.counts else self.rapl.missing or _NO_COUNTER

    def describe(self) -> str:
        """One line for the log."""
        if self.source is EnergySource.MODEL:
            return f"Energy: estimated by the power model; {self.rapl.missing}"
        if self.source is None:
            return f"Energy: not known; {self.rapl.missing}"
        names = ", ".join(counter.name for counter in self.rapl.counters + self.gpu.counters)
        missing = "" if self.rapl.counters else f"; {self.rapl.missing}"
        return f"Energy: measured by {names}{missing}"


def is_hardware(encoder: str) -> bool:
    """Whether `encoder` works on a GPU."""
    return encoder.rpartition("_")[2] in _HARDWARE


def energy_of(means: Means, used: Used, read: Reading | None, baseline: Baseline | None) -> Energy:
    """What one encode used. `read`: what the counters said of exactly its time."""
    if used.disturbed is not None:
        return Energy(note=used.disturbed, shared=used.disturbed)
    if not means.counts:
        return _estimate(means, used)
    why_not = means.gap(used.encoder) or _crowd(used)
    if why_not is None and read is not None and read.joules is None:
        why_not = read.note
    if why_not is not None or read is None or read.joules is None:
        return Energy(note=why_not or _NO_COUNTER)
    if baseline is None:
        note = f"{read.note}; the idle power has not been measured yet"
        return Energy(round(read.joules, 6), None, None, read.source, note)
    idle = baseline.watts * read.seconds
    net = read.joules - idle  # noise can make little energy less than none
    note = f"{read.note}; {baseline.describe()}"
    return Energy(round(read.joules, 6), round(idle, 6), round(net, 6), read.source, note)


def _estimate(means: Means, used: Used) -> Energy:
    model = means.model
    if model is None:
        return Energy(note=means.rapl.missing or _NO_COUNTER)
    if is_hardware(used.encoder):
        return Energy(
            note=f"the power model knows the processor only, and {used.encoder} works on a graphics card"
        )
    joules = model.joules(used.cpu_seconds, used.wall_seconds)
    idle = model.idle_joules(used.wall_seconds)
    return Energy(
        round(joules, 6),
        round(idle, 6),
        round(joules - idle, 6),
        EnergySource.MODEL,
        model.formula(used.cpu_seconds, used.wall_seconds),
    )


def _crowd(used: Used) -> str | None:
    """Why other programs make the machine's energy not this encode's; None if they did little."""
    limit = max(OTHERS_CORES * used.wall_seconds, OTHERS_SHARE * used.cpu_seconds)
    if used.others_cpu_seconds <= limit:
        return None
    return (
        f"other programs on this machine used {used.others_cpu_seconds:.1f} s of CPU time during the "
        f"encode, which used {used.cpu_seconds:.1f} s itself"
    )


def busy_seconds() -> float:
    """CPU time that all programs of this machine have used together, since it started."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)


class Account:
    """Measures encodes; one for an agent."""

    def __init__(
        self,
        means: Means,
        jobs: Jobs | None = None,
        busy: Callable[[], float] = busy_seconds,
        idle: IdleMeter | None = None,
    ) -> None:
        """`busy`: CPU seconds that everybody here has used."""
        self.means = means
        self._jobs: Jobs = jobs or NoJobs()
        self._busy = busy
        self.idle = idle or IdleMeter(means.rapl.counters + means.gpu.counters)

    @contextmanager
    def encode(self, may_work: Callable[[], bool]) -> Iterator[Metered]:
        """An encode begins; it has `end` when it ended, and else is forgotten."""
        metered = Metered(self.means, self._jobs, self._busy, self.idle.baseline(), may_work)
        try:
            yield metered
        finally:
            metered.stop()


class Metered:
    """One encode under way."""

    def __init__(
        self,
        means: Means,
        jobs: Jobs,
        busy: Callable[[], float],
        baseline: Baseline | None,
        may_work: Callable[[], bool],
    ) -> None:
        """It begins now. The baseline is of before it, as its age."""
        self._means, self._jobs, self._busy = means, jobs, busy
        self._baseline = baseline
        self._may_work = may_work
        self._suspended = False
        self._company = jobs.company()
        self._busy_before, self._own_before = busy(), time.process_time()
        counters = means.rapl.counters + means.gpu.counters
        self._stretch = Stretch(counters) if counters else None

    def may_work(self) -> bool:
        """What the agent's leases say; and it is noted if they ever say no."""
        may = self._may_work()
        self._suspended = self._suspended or not may
        return may

    def end(self, encoder: str, cpu_seconds: float, wall_seconds: float) -> Energy:
        """The encode ended just now, and used this itself."""
        read = self._stretch.end() if self._stretch is not None else None
        own = time.process_time() - self._own_before
        others = max(0.0, self._busy() - self._busy_before - own - cpu_seconds)
        used = Used(encoder, cpu_seconds, wall_seconds, others, self._disturbed())
        return energy_of(self._means, used, read, self._baseline)

    def stop(self) -> None:
        """Measure nothing more."""
        if self._stretch is not None:
            self._stretch.stop()

    def _disturbed(self) -> str | None:
        running, added = self._company
        if running > 1 or self._jobs.company()[1] != added:
            return "another job ran on this node at the same time"
        if self._suspended:
            return "the encode was suspended for a while, in which the machine used energy too"
        return None
