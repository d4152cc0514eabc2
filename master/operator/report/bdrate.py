"""How many bits one way of encoding needs more or less than another, for the same quality.

The Bjøntegaard delta rate (VCEG-M33): the mean difference of the logarithms of the bitrates, over
the range of qualities that both curves reach. `bjontegaard` computes it, with monotone piecewise
cubic interpolation (PCHIP, as in JCT-VC's common test conditions). When it means something is
decided here; where it does not, there is a reason in place of a number.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from master.operator.report.estimate import Estimate, estimate
from master.operator.report.groups import Point
from master.operator.report.quantities import BITRATE, QUALITIES, Quantity
from master.operator.report.runs import Series

MIN_POINTS = 4
"""Points that a curve needs: Bjøntegaard's own number."""
MIN_OVERLAP = 0.25
"""Part of the whole range of qualities that both curves must reach; else the mean is that of an end."""


@dataclass(frozen=True, slots=True)
class BdRate:
    """One comparison: `test` against `anchor`, on one clip."""

    clip: str
    quality: str
    """The quantity that is held equal: `vmaf`."""
    anchor: Series
    test: Series
    points: tuple[int, int]
    """How many of the anchor, how many of the test."""
    percent: float | None
    """Bits that `test` needs more than `anchor`; less if negative. None: `reason` says why."""
    overlap: tuple[float, float] | None = None
    """The qualities between which they are compared."""
    share: float | None = None
    """The part of the whole range of qualities that this is, 0 to 1."""
    reason: str = ""


Curve = Sequence[tuple[float, float]]
"""Bitrates and qualities, from low to high."""


def available() -> bool:
    """Whether the library is installed."""
    return importlib.util.find_spec("bjontegaard") is not None


def comparisons(points: Iterable[Point]) -> list[BdRate]:
    """Every pair of series of every clip, for each quality that was measured of both.

    `points` are those of all nodes together: where an encode ran does not change its bits.
    """
    found = []
    by_clip = itertools.groupby(sorted(points, key=lambda p: (p.clip, p.series)), key=lambda p: p.clip)
    for clip, members in by_clip:
        curves = {s: list(group) for s, group in itertools.groupby(members, key=lambda p: p.series)}
        for quality in QUALITIES:
            known = {series: curve(group, quality) for series, group in curves.items()}
            for anchor, test in itertools.combinations([s for s in known if known[s]], 2):
                found.append(compare(clip, quality, anchor, test, known[anchor], known[test]))
    return found


def curve(points: Iterable[Point], quality: Quantity) -> Curve:
    """Bitrate and quality of each point that has both."""
    pairs = ((p.value(BITRATE), p.value(quality)) for p in points)
    return sorted((rate.mean, value.mean) for rate, value in pairs if rate and value)


def compare(
    clip: str, quality: Quantity, anchor: Series, test: Series, of_anchor: Curve, of_test: Curve
) -> BdRate:
    """The BD-rate of `test` against `anchor`, or why there is none."""
    counts = (len(of_anchor), len(of_test))

    def none(reason: str) -> BdRate:
        return BdRate(clip, quality.name, anchor, test, counts, None, reason=reason)

    if min(counts) < MIN_POINTS:
        return none(f"not enough points: {counts[1]} and {counts[0]}, and each needs {MIN_POINTS}")
    for series, each in ((anchor, of_anchor), (test, of_test)):
        if not _rises(each):
            return none(f"{quality.title} of {series.label} does not rise with each bitrate")
    low = max(of_anchor[0][1], of_test[0][1])
    high = min(of_anchor[-1][1], of_test[-1][1])
    whole = max(of_anchor[-1][1], of_test[-1][1]) - min(of_anchor[0][1], of_test[0][1])
    share = max(0.0, high - low) / whole
    if share < MIN_OVERLAP:
        return none(
            f"the curves have {share:.0%} of their {quality.title} range in common, not {MIN_OVERLAP:.0%}"
        )
    if not available():
        return none("the package bjontegaard is not installed")
    percent = _bjontegaard(of_anchor, of_test)
    return BdRate(clip, quality.name, anchor, test, counts, percent, (low, high), share)


def _rises(points: Curve) -> bool:
    return all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(points)) and points[0][0] > 0


def _bjontegaard(anchor: Curve, test: Curve) -> float:
    import bjontegaard  # here: it takes half a second, and may be missing

    rates, qualities = zip(*anchor, strict=True)
    test_rates, test_qualities = zip(*test, strict=True)
    return float(
        bjontegaard.bd_rate(
            rates, qualities, test_rates, test_qualities,
            method="pchip", require_matching_points=False, min_overlap=0,
        )
    )  # fmt: skip


def reverse(percent: float) -> float:
    """What the anchor needs more than the test, given what the test needs more than the anchor."""
    return (1 / (1 + percent / 100) - 1) * 100


def mean_over_clips(found: Iterable[BdRate], quality: str) -> dict[tuple[Series, Series], Estimate]:
    """The mean of each pair (anchor, test), with its interval over the clips that have a number."""
    values: dict[tuple[Series, Series], list[float]] = {}
    for one in found:
        if one.quality == quality and one.percent is not None:
            values.setdefault((one.anchor, one.test), []).append(one.percent)
            values.setdefault((one.test, one.anchor), []).append(reverse(one.percent))
    return {pair: made for pair, numbers in values.items() if (made := estimate(numbers)) is not None}
