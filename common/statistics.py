"""How sure the mean of a few measurements is: Student's t. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

from common.model import Confidence

MIN_RUNS = 3
"""Runs before a repeated encode may end: two that are alike by chance would look certain."""
MAX_RUNS = 10
"""Runs after which it ends, whether its interval is narrow enough or not."""
WIDTHS: dict[Confidence, float] = {Confidence.LOW: 0.10, Confidence.MEDIUM: 0.05, Confidence.HIGH: 0.02}
"""How far the 95 % interval may reach to either side of the mean, as a share of the mean."""
_USUAL = 2
"""Degrees of freedom: as much as three speeds is what is usual believed."""
_T_975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""The 0.975 quantiles of Student's t distribution with 1 to 30 degrees of freedom (NIST/SEMATECH
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
    """The 0.975 quantile of Student's t for `n` measurements, 2 or more.

    Beyond the table by its expansion at the normal distribution (Abramowitz & Stegun, 26.7.5).
    """
    degrees = n - 1
    if degrees <= len(_T_975):
        return _T_975[degrees - 1]
    z = NormalDist().inv_cdf(0.975)
    return z + (z**3 + z) / (4 * degrees) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)


def interval(values: Sequence[float]) -> Interval | None:
    """The 95 % interval of the mean of 2 or more values: mean +- t x s / sqrt(n); None for fewer."""
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


def spread_of(speeds: Sequence[float]) -> float | None:
    """Their standard deviation as a share of their mean; None of fewer than two, or of a mean of 0."""
    mean = fmean(speeds) if len(speeds) > 1 else 0.0
    return stdev(speeds) / mean if mean else None


def _spread(speeds: Sequence[float], usual: float | None) -> float | None:
    """The standard deviation as a share of the mean: pooled from what these have and from what is usual.

    Variances are pooled by their degrees of freedom (NIST/SEMATECH e-Handbook, section 7.2.4).
    """
    own = spread_of(speeds)
    if own is None or usual is None:
        return usual if own is None else own
    degrees = len(speeds) - 1
    return math.sqrt((_USUAL * usual**2 + degrees * own**2) / (_USUAL + degrees))


def expected_runs(speeds: Sequence[float], confidence: Confidence, usual: float | None = None) -> int:
    """How many runs it will take if they go on to vary as they have; more than there were.

    `usual`: the standard deviation of such speeds as a share of their mean, as others were seen to have it.
    """
    if confidence not in WIDTHS:
        return 1
    least = max(MIN_RUNS, len(speeds) + 1)
    spread = _spread(speeds, usual)
    if spread is None:
        return least
    wide = (n for n in range(least, MAX_RUNS) if t_quantile(n) * spread / math.sqrt(n) <= WIDTHS[confidence])
    return next(wide, MAX_RUNS)
