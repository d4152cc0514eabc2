"""How sure the mean of a few measurements is: Student's t. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from common.model import Confidence

MIN_RUNS = 3
"""Runs before a repeated encode may end: two that are alike by chance would look certain."""
MAX_RUNS = 10
"""Runs after which it ends, whether its interval is narrow enough or not."""
WIDTHS: dict[Confidence, float] = {Confidence.LOW: 0.10, Confidence.MEDIUM: 0.05, Confidence.HIGH: 0.02}
"""How far the 95 % interval may reach to either side of the mean, as a share of the mean."""
_T_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""The 0.975 quantiles of Student's t distribution with 1 to 9 degrees of freedom (NIST/SEMATECH
e-Handbook of Statistical Methods, section 1.3.6.7.2); tests integrate the density to check them."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The 95 % confidence interval of a mean."""

    mean: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """How far it reaches to either side of the mean, as a share of the mean."""
        return (self.high - self.mean) / self.mean if self.mean else math.inf


def t_quantile(n: int) -> float:
    """The 0.975 quantile of Student's t for `n` measurements (2 to `MAX_RUNS`)."""
    return _T_975[n - 2]


def interval(values: Sequence[float]) -> Interval | None:
    """The 95 % interval of the mean of 2 to `MAX_RUNS` values: mean +- t x s / sqrt(n); None for fewer."""
    if len(values) < 2:
        return None
    mean = fmean(values)
    half = t_quantile(len(values)) * stdev(values) / math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half)


def reached(speeds: Sequence[float], width: float) -> bool:
    """Whether the interval of the mean reaches no farther than `width` to either side."""
    found = interval(speeds)
    return len(speeds) >= MIN_RUNS and found is not None and found.width <= width


def enough(speeds: Sequence[float], confidence: Confidence) -> bool:
    """Whether no further run is needed, or allowed, after those with these `speeds`."""
    if confidence not in WIDTHS:
        return len(speeds) >= 1
    return len(speeds) >= MAX_RUNS or reached(speeds, WIDTHS[confidence])


def expected_runs(speeds: Sequence[float], confidence: Confidence) -> int:
    """How many runs it will take if they go on to vary as they have; more than there were."""
    if confidence not in WIDTHS:
        return 1
    least = max(MIN_RUNS, len(speeds) + 1)
    if len(speeds) < 2 or not (mean := fmean(speeds)):
        return least
    spread = stdev(speeds) / mean
    wide = (n for n in range(least, MAX_RUNS) if t_quantile(n) * spread / math.sqrt(n) <= WIDTHS[confidence])
    return next(wide, MAX_RUNS)
