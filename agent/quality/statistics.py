"""From the values of each frame to the few numbers of a result. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Summary:
    """What the frames of an output have in common, by one way of measuring."""

    mean: float
    harmonic_mean: float
    p1: float
    worst_second: float

    def metrics(self, name: str) -> dict[str, float]:
        """As `common.result` calls them, to six decimals: more is not in what filters write."""
        values = (self.mean, self.harmonic_mean, self.p1, self.worst_second)
        return {metric: round(value, 6) for metric, value in zip(names(name), values, strict=True)}


def names(name: str) -> tuple[str, str, str, str]:
    """The metrics of one way of measuring."""
    return f"{name}_mean", f"{name}_harmonic_mean", f"{name}_p1", f"{name}_worst_second"


def summarize(values: Sequence[float], times: Sequence[float], end: float) -> Summary:
    """Of frames that are shown at `times` (seconds, from 0 and rising), the last one until `end`.

    ValueError without frames.
    """
    if not values or len(values) != len(times):
        raise ValueError("each frame has a value and a time, and there is one frame at least")
    return Summary(
        math.fsum(values) / len(values),
        harmonic_mean(values),
        percentile(values, 1),
        worst_second(values, times, end),
    )


def harmonic_mean(values: Sequence[float]) -> float:
    """n / sum(1 / (value + 1)) - 1: libvmaf's (`vmaf_score_pooled`), defined for a frame of value 0 too.

    A value of -1 or less, which no filter writes but SSIM at its very worst, counts as just above that.
    """
    return len(values) / math.fsum(1 / max(value + 1, 1e-6) for value in values) - 1


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of all lie, interpolated between its two neighbours: definition 7
    of Hyndman and Fan (1996), which NumPy has as its default.
    """
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def worst_second(values: Sequence[float], times: Sequence[float], end: float) -> float:
    """The lowest mean of the frames that begin in one second, of all whole seconds from the start on.

    A second in which no frame begins shows an earlier one and does not count, nor does the rest at
    the end that is no whole second, unless there is nothing else.
    """
    seconds: dict[int, list[float]] = {}
    for value, time in zip(values, times, strict=True):
        seconds.setdefault(math.floor(time - times[0] + _ROUNDING), []).append(value)
    whole = math.floor(end - times[0] + _ROUNDING)
    counted = [frames for second, frames in seconds.items() if second < whole] or list(seconds.values())
    return min(math.fsum(frames) / len(frames) for frames in counted)


_ROUNDING = 0.002
"""Seconds: Matroska rounds times to a thousandth."""
