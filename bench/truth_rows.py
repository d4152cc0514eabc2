"""Every number of a report beside a second measurement of it, and whether they agree. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from bench.second_look import Looked, Timed

PERCENT = 1.0
VMAF = 0.1
"""How far VMAF may be off, in points."""
IDLE_WATTS, CORE_WATTS = 8.0, 6.5
"""The power model that the agent is given."""
PER_KWH, PER_HOUR = 0.30, 1.20
"""The prices that it is given."""
QUALITIES = (
    *("vmaf_mean", "vmaf_harmonic_mean", "vmaf_p1", "vmaf_worst_second"),
    *("psnr_mean", "ssim_mean", "xpsnr_mean"),
)
NARROW = 0.10
"""How far the interval of `confidence: low` may reach, as a share of the mean."""
_EXACT = ("frames", "output_bytes", "runs", "source_frames", "interval_reached", "target_reached")


@dataclass(frozen=True, slots=True)
class Row:
    """One number, twice."""

    metric: str
    reported: float | None
    measured: float | None
    by: str
    needed: bool = True
    """Whether it may be missing in the report."""
    points: float | None = None
    """How far it may be off where that is no share of it."""

    @property
    def allowed(self) -> float | None:
        """How far off it may be in points; None: it is per cent that count."""
        return VMAF if self.points is None and self.metric.startswith("vmaf") else self.points

    @property
    def difference(self) -> float | None:
        """In per cent of what was measured, or in points; None if there are no two numbers."""
        if self.reported is None or self.measured is None:
            return None
        off = self.reported - self.measured
        if self.allowed is not None:
            return off
        return 0.0 if off == 0 else 100 * off / self.measured if self.measured else math.inf

    @property
    def good(self) -> bool | None:
        """Whether both agree; None if there is nothing to compare and nothing was promised."""
        off = self.difference
        if off is None:
            return False if self.needed else None
        if self.metric in _EXACT:
            return off == 0
        return abs(off) < PERCENT if self.allowed is None else abs(off) <= self.allowed


def compared(
    metrics: Mapping[str, Any], runs: Sequence[Timed], file: Looked, quality: Mapping[str, float]
) -> list[Row]:
    """Every number that was measured twice. Of several encodes means are compared, but the memory's peak.

    All of `quality` was asked for, so it must be in the report.
    """
    if not runs:
        wall = cpu = memory = None
    else:
        wall, cpu = fmean(r.wall_seconds for r in runs), fmean(r.cpu_seconds for r in runs)
        memory = float(max(r.peak_memory_bytes for r in runs))
    speeds = [file.duration / r.wall_seconds for r in runs if r.wall_seconds]
    rates = [file.frames / r.wall_seconds for r in runs if r.wall_seconds]
    rows = [
        Row("frames", metrics["frames"], file.frames, "decoded and counted"),
        Row("duration", metrics["duration"], file.duration, "packets"),
        Row("bitrate", metrics["bitrate"], file.bitrate, "packets"),
        Row("output_bytes", metrics["output_bytes"], file.size, "stat"),
        Row("wall_seconds", metrics["wall_seconds"], wall, "GNU time"),
        Row("cpu_seconds", metrics["cpu_seconds"], cpu, "GNU time"),
        Row("peak_memory_bytes", metrics["peak_memory_bytes"], memory, "GNU time"),
        Row("speed", metrics["speed"], fmean(speeds) if speeds else None, "packets, GNU time"),
        Row("fps", metrics["fps"], fmean(rates) if rates else None, "frames, GNU time"),
        Row("runs", metrics["runs"], len(runs) or None, "ffmpegs counted"),
    ]
    rows += [
        Row(name, metrics.get(name), quality[name], "a second run") for name in QUALITIES if name in quality
    ]
    return [*rows, *_energy(metrics, runs, wall, cpu)]


def _energy(
    metrics: Mapping[str, Any], runs: Sequence[Timed], wall: float | None, cpu: float | None
) -> list[Row]:
    """By the counter, or where there is none, by the power model's formula from GNU time's seconds."""
    total, estimated = metrics.get("energy_joules"), metrics.get("energy_source") == "model"
    joules: float | None
    rows: list[Row] = []
    if estimated and wall is not None and cpu is not None:
        joules, by = IDLE_WATTS * wall + CORE_WATTS * cpu, "8 W x wall + 6.5 W x CPU"
        rows.append(Row("energy_net_joules", metrics["energy_net_joules"], CORE_WATTS * cpu, "6.5 W x CPU"))
    else:
        known = [run.joules for run in runs if run.joules is not None]
        joules, by = (fmean(known) if known else None), "perf"
    rows.insert(0, Row("energy_joules", total, joules, by, needed=estimated))
    if joules is not None and wall is not None:
        money = joules / 3.6e6 * PER_KWH + wall / 3600 * PER_HOUR
        rows.append(Row("cost", metrics.get("cost"), money, "joules and hours x prices", needed=estimated))
    return rows


def repeated(
    metrics: Mapping[str, Any], repeats: Sequence[Mapping[str, Any]], runs: Sequence[Timed]
) -> list[Row]:
    """Each run as the result lists it, the means of these, and the interval, worked out anew."""
    rows = [
        Row(f"repeats[{number}].{name}", listed[name], getattr(run, name), "GNU time")
        for number, (listed, run) in enumerate(zip(repeats, runs, strict=False))
        for name in ("wall_seconds", "cpu_seconds")
    ]
    speeds = [float(each["speed"]) for each in repeats]
    if len(speeds) < 2:
        return [*rows, Row("runs", len(speeds), None, "two at least")]
    mean, half = fmean(speeds), student(len(speeds) - 1) * stdev(speeds) / math.sqrt(len(speeds))
    by = "from the repeats"
    return [
        *rows,
        Row("runs", metrics["runs"], len(repeats), by),
        Row("speed", metrics["speed"], mean, by),
        Row("wall_seconds", metrics["wall_seconds"], fmean(r["wall_seconds"] for r in repeats), by),
        Row("cpu_seconds", metrics["cpu_seconds"], fmean(r["cpu_seconds"] for r in repeats), by),
        Row("speed_low", metrics["speed_low"], max(0.0, mean - half), by),
        Row("speed_high", metrics["speed_high"], mean + half, by),
        Row("interval_reached", metrics["interval_reached"], float(half / mean <= NARROW), by),
    ]


def student(degrees: int) -> float:
    """The 0.975 quantile of Student's t: its density, summed up by Simpson's rule, and bisected."""
    factor = math.gamma((degrees + 1) / 2) / math.sqrt(degrees * math.pi) / math.gamma(degrees / 2)

    def below(t: float, steps: int = 2000) -> float:
        power = -(degrees + 1) / 2
        heights = [math.pow(1 + (t * i / steps) ** 2 / degrees, power) for i in range(steps + 1)]
        inner = 4 * sum(heights[1:-1:2]) + 2 * sum(heights[2:-1:2])
        return 0.5 + factor * (heights[0] + inner + heights[-1]) * t / steps / 3

    low, high = 0.0, 20.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < 0.975 else (low, middle)
    return low


def target(
    metrics: Mapping[str, Any],
    wanted: float,
    probes: Sequence[Mapping[str, Any]],
    quality: Mapping[str, float],
) -> list[Row]:
    """Whether the output has the VMAF that was asked for, to 1; and what the search told of it."""
    vmaf = quality["vmaf_mean"]
    own = [p for p in probes if p["whole"] and p["crf"] == metrics["crf"]]
    return [
        Row("target_vmaf", wanted, vmaf, "a second run", points=1.0),
        Row("target_reached", metrics["target_reached"], float(abs(vmaf - wanted) <= 1), "a second run"),
        Row("probes: vmaf", own[0]["vmaf"] if own else None, vmaf, "a second run", points=VMAF),
    ]


def kept(
    metrics: Mapping[str, Any], probes: Sequence[Mapping[str, Any]], runs: Sequence[Timed]
) -> list[Timed]:
    """Of the whole encodes of a search, the one whose output was kept."""
    whole = [probe["crf"] for probe in probes if probe["whole"]]
    return [run for run, crf in zip(runs, whole, strict=True) if crf == metrics["crf"]]
