"""A mean with its interval, and from how many values it comes: pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from common.statistics import interval


@dataclass(frozen=True, slots=True)
class Estimate:
    """What was measured `n` times."""

    mean: float
    n: int
    low: float | None = None
    """The 95 % confidence interval of the mean; None of a single value, which says nothing of its spread."""
    high: float | None = None


def estimate(values: Sequence[float]) -> Estimate | None:
    """The mean and its 95 % interval by Student's t ; None of nothing."""
    if not values:
        return None
    mean = statistics.fmean(values)
    found = interval(values)
    if found is None:
        return Estimate(mean, 1)
    return Estimate(mean, len(values), found.low, found.high)
