"""The search for the CRF that gives a VMAF: what to try next, given what was measured. Pure.

The method is interpolated bisection (regula falsi with a guard, as Dekker's method of 1969 has one):
between the nearest CRF above the target and the nearest below it the curve is taken for a straight
line, and no try is nearer than an eighth to an end that is known, so that no bend makes it crawl.
Straight is the logit of the VMAF, ln(v / (100 - v)): curves level out towards 100 and 0.
Measurements that contradict each other (a higher CRF with a better picture) are first made monotone
by the least squares (pool adjacent violators; Ayer et al. 1955). Encodes of the whole input shift
the curve that samples gave; two of them are a curve by themselves, and so is one that samples were
far from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from common.crf import GUESSED, Scale, logit
from common.model import CrfProbe

TOLERANCE = 1.0
"""VMAF: a whole file that is no further from the target has reached it."""
CLOSE = 0.5
"""VMAF: samples that are no further from it need no more of them."""
MOST_SAMPLES = 8
"""Probes of samples."""
MOST_WHOLE = 3
"""Encodes of the whole input: the first one, and two corrections."""
_FLATTEST, _STEEPEST = 0.05, 1.0
"""Logit for one CRF: what is believed of a curve where nothing was measured."""
_GUARD, _LATE_GUARD, _LATE = 0.125, 0.35, 6
"""How near a try may come to a known end; and after so many probes, which did not get there."""
_MISLED = 5.0
"""VMAF between samples and the whole, from which on not even the shape of the samples' curve is believed."""
_BEYOND = 0.2
"""How much further than where the target should be, as a share of the way, while one side is unknown."""

Point = tuple[float, float]
"""A CRF and its VMAF."""


def next_samples(target: float, scale: Scale, probes: Sequence[CrfProbe]) -> float | None:
    """The CRF to try on samples next; None once the search has ended."""
    tried = _points(probes, whole=False)
    if len(tried) >= MOST_SAMPLES or any(abs(vmaf - target) <= CLOSE for _, vmaf in tried):
        return None
    low, high = _bracket(target, scale, tried)
    known = {crf for crf, _ in tried}
    free = [crf for crf in _grid(scale, low, high) if crf not in known]
    if not free:
        return None
    best = _solution(target, scale, probes, free)
    if {low, high} <= known:
        guard = (high - low) * (_GUARD if len(tried) < _LATE else _LATE_GUARD)
        best = min(max(best, low + guard), high - guard)
    elif tried:  # the other side of the target is worth more than a side that is known already
        best += (best - (low if low in known else high)) * _BEYOND
    return min(free, key=lambda crf: abs(crf - best))


def next_whole(target: float, scale: Scale, probes: Sequence[CrfProbe]) -> float | None:
    """The CRF to encode the whole input with next; None if what there is cannot be bettered."""
    tried = _points(probes, whole=True)
    if len(tried) >= MOST_WHOLE or any(abs(vmaf - target) <= TOLERANCE for _, vmaf in tried):
        return None
    low, high = _bracket(target, scale, tried)
    known = {crf for crf, _ in tried}
    free = [crf for crf in _grid(scale, low, high) if crf not in known]
    return _solution(target, scale, probes, free) if free else None


def closest(target: float, probes: Iterable[CrfProbe]) -> CrfProbe:
    """The one that came nearest; of two that are as near the better one."""
    return min(probes, key=lambda probe: (abs(probe.vmaf - target), -probe.vmaf))


def expected(scale: Scale, probes: Sequence[CrfProbe], crf: float) -> float:
    """The VMAF of the whole input with this CRF, from all that was measured."""
    return _model(scale, probes)(crf)


def _model(scale: Scale, probes: Sequence[CrfProbe]) -> Callable[[float], float]:
    samples = [(at, logit(vmaf)) for at, vmaf in monotone(_points(probes, whole=False))]
    whole = [(at, logit(vmaf)) for at, vmaf in _points(probes, whole=True)]
    points, shift = samples, 0.0
    if whole:
        at, value = whole[0]
        shift = value - _curve(scale, samples, at)
        if len(whole) > 1 or abs(_vmaf(value - shift) - _vmaf(value)) > _MISLED:
            points, shift = whole, 0.0
    return lambda crf: _vmaf(_curve(scale, points, crf) + shift)


def monotone(points: Sequence[Point]) -> list[Point]:
    """The non-increasing values that are nearest to those of the points, which are sorted by CRF."""
    pools: list[list[float]] = []  # sum, count
    for _, vmaf in points:
        pools.append([vmaf, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] < pools[-1][0] / pools[-1][1]:
            total, count = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += count
    values = [total / count for total, count in pools for _ in range(int(count))]
    return [(crf, value) for (crf, _), value in zip(points, values, strict=True)]


def _points(probes: Iterable[CrfProbe], *, whole: bool) -> list[Point]:
    return sorted({probe.crf: probe.vmaf for probe in probes if probe.whole == whole}.items())


def _bracket(target: float, scale: Scale, tried: Sequence[Point]) -> tuple[float, float]:
    """Between which CRFs the answer lies, both inclusive: beyond what is known on either side."""
    smooth = monotone(tried)
    low = max((crf for crf, vmaf in smooth if vmaf >= target), default=scale.low)
    high = min((crf for crf, vmaf in smooth if vmaf < target), default=scale.high)
    return low, high


def _grid(scale: Scale, low: float, high: float) -> list[float]:
    first, last = (round((end - scale.low) / scale.step) for end in (low, high))
    return [round(scale.low + number * scale.step, 3) for number in range(first, last + 1)]


def _solution(target: float, scale: Scale, probes: Sequence[CrfProbe], free: Sequence[float]) -> float:
    peak = _peak(target, probes)
    if peak is not None and peak in free:
        return peak
    model = _model(scale, probes)
    return min(free, key=lambda crf: (abs(model(crf) - target), crf))


def _peak(target: float, probes: Sequence[CrfProbe]) -> float | None:
    """Where samples were best, if that is hardly good enough and less CRF was worse: a cap forbids more."""
    samples = _points(probes, whole=False)
    if not samples:
        return None
    crf, vmaf = max(samples, key=lambda point: (point[1], point[0]))
    return crf if vmaf < target + TOLERANCE and crf > samples[0][0] else None


def _vmaf(value: float) -> float:
    """Of a logit."""
    return 100 / (1 + math.exp(-value))


def _curve(scale: Scale, points: Sequence[Point], crf: float) -> float:
    """Straight between two points; beyond the last one as steep as there, within reason."""
    if not points:
        points = [(scale.guess, logit(GUESSED))]
    if crf < points[0][0] or crf > points[-1][0]:
        ends = points[:2] if crf < points[0][0] else points[-2:]
        slope = scale.slope
        if len(ends) == 2:
            slope = (ends[0][1] - ends[1][1]) / (ends[1][0] - ends[0][0])
        at, value = ends[0] if crf < points[0][0] else ends[-1]
        return value - (crf - at) * min(max(slope, _FLATTEST), _STEEPEST)
    return _interpolated(points, crf)


def _interpolated(points: Sequence[Point], at: float) -> float:
    """Straight between two points, level beyond them."""
    if at <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in pairwise(points):
        if at <= right:
            return low + (high - low) * (at - left) / (right - left)
    return points[-1][1]
