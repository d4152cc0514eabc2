"""One encode, or the same one again and again until its speed is known as surely as was asked."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from agent import steps
from agent.encode import Encoded, encode
from agent.energy.account import Energy
from agent.energy.cost import Prices, cost
from agent.inputs.measured import MeasuredInput
from agent.task import AbortedError, FailedError, Task
from common.estimate import Step
from common.model import Confidence, Repeat, Scalar
from common.settings import EncodeSettings
from common.statistics import WIDTHS, Interval, enough, interval, reached

Encode = Callable[[Task, EncodeSettings, MeasuredInput | None], Encoded]


@dataclass(frozen=True, slots=True)
class Run:
    """What one run cost. Unknown is None."""

    wall_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int | None
    duration: float
    """Seconds of video in its output."""
    frames: int
    energy: Energy

    @property
    def speed(self) -> float:
        """Seconds of video for each second of wall time."""
        return self.duration / self.wall_seconds if self.wall_seconds else 0.0


@dataclass(frozen=True, slots=True)
class Repeated:
    """An encode that ran as often as was asked for."""

    kept: Encoded
    """The last run's: its file is the only one that is still there."""
    runs: tuple[Run, ...]
    confidence: Confidence

    @classmethod
    def once(cls, encoded: Encoded) -> Repeated:
        """One that nobody asked to repeat."""
        return cls(encoded, (_run_of(encoded),), Confidence.AUTO)

    def metrics(self, prices: Prices) -> dict[str, Scalar]:
        """Those that the runs decide together."""
        return headline(self.runs, self.confidence, prices)

    @property
    def repeats(self) -> tuple[Repeat, ...]:
        """The runs, as the result lists them; none of an encode that was not to be repeated."""
        if self.confidence is Confidence.AUTO:
            return ()
        return tuple(
            Repeat(round(run.speed, 6), round(run.wall_seconds, 6), run.cpu_seconds, run.energy.joules)
            for run in self.runs
        )


def repeat(
    task: Task,
    settings: EncodeSettings,
    given: MeasuredInput | None,
    encode_once: Encode = encode,
    after: Sequence[Step] = (),
) -> Repeated:
    """Encodes as often as the job's `confidence` asks for; raises what `encode` does.

    One output is on the disk at a time, and the last one stays. A run that fails fails the job. `after`: the
    steps that are expected when it is done.
    """
    confidence = task.assignment.confidence
    course = task.tools.course
    if confidence not in WIDTHS:
        course.plan((*steps.encodes(settings), *after))
        return Repeated.once(encode_once(task, settings, given))
    usual = course.known(steps.SPREAD)
    runs: list[Run] = []
    while True:
        if task.tools.abort.is_set():
            raise AbortedError
        own = task.directory / f"run-{len(runs) + 1}"
        own.mkdir()
        more = steps.more_runs([run.speed for run in runs], confidence, usual)
        course.plan((*steps.repeats(settings, more), *after))
        try:
            encoded = encode_once(replace(task, directory=own), settings, given)
        except FailedError as error:
            known = {**error.known, "runs": len(runs) + 1} if error.known else {}
            message = f"run {len(runs) + 1} of the repeated encode: {error.failure.message}"
            raise FailedError(error.failure.code, message, known) from error
        runs.append(_run_of(encoded))
        speeds = [run.speed for run in runs]
        if enough(speeds, confidence):
            course.learn(steps.spread(speeds))
            return Repeated(encoded, tuple(runs), confidence)
        shutil.rmtree(own)


def headline(runs: Sequence[Run], confidence: Confidence, prices: Prices) -> dict[str, Scalar]:
    """The metrics of all runs together: means, but for the memory, whose peak is the highest. Pure.

    Those of prices and of the interval are there only where there are any.
    """
    speeds = [run.speed for run in runs]
    wall = fmean(run.wall_seconds for run in runs)
    memory = [run.peak_memory_bytes for run in runs if run.peak_memory_bytes is not None]
    energy = mean_energy([run.energy for run in runs])
    price = cost(prices, energy.joules, wall, energy.shared)
    priced = {"cost": price.amount, "currency": price.currency, "cost_basis": price.basis}
    found = interval(speeds) if confidence in WIDTHS else None
    return {
        "wall_seconds": round(wall, 6),
        "cpu_seconds": round(fmean(run.cpu_seconds for run in runs), 6),
        "peak_memory_bytes": max(memory, default=None),
        "speed": round(fmean(speeds), 6),
        "fps": round(fmean(run.frames / run.wall_seconds for run in runs), 6),
        "runs": len(runs),
        "energy_joules": energy.joules,
        "energy_idle_joules": energy.idle_joules,
        "energy_net_joules": energy.net_joules,
        "energy_source": energy.source,
        "energy_note": energy.note,
        **(priced if price.basis is not None else {}),
        **(_interval(found, reached(speeds, WIDTHS[confidence])) if found is not None else {}),
    }


def _interval(found: Interval, narrow: bool) -> dict[str, Scalar]:
    return {
        "speed_low": round(max(0.0, found.low), 6),
        "speed_high": round(found.high, 6),
        "interval_reached": narrow,
    }


def mean_energy(each: Sequence[Energy]) -> Energy:
    """The energy of one of several runs, on average; unknown if that of one of them is. Pure."""
    if len(each) == 1 or (each[0].joules is None and len(set(each)) == 1):
        return each[0]
    for number, energy in enumerate(each, start=1):
        if energy.joules is None:
            return Energy(note=f"run {number} of {len(each)}: {energy.note}", shared=energy.shared)
    last = each[-1]
    return Energy(
        _mean([energy.joules for energy in each]),
        _mean([energy.idle_joules for energy in each]),
        _mean([energy.net_joules for energy in each]),
        last.source,
        f"mean of {len(each)} runs; the last: {last.note}",
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 6) if len(known) == len(values) else None


def _run_of(encoded: Encoded) -> Run:
    ended, probed = encoded.ended, encoded.probed
    return Run(
        ended.wall_seconds,
        ended.cpu_seconds,
        ended.peak_memory_bytes,
        probed.duration,
        probed.frames,
        encoded.energy,
    )
