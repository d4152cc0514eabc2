"""The search for a CRF ends, and ends where the target is, on curves of any shape."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.target import (
    CLOSE,
    MOST_SAMPLES,
    MOST_WHOLE,
    TOLERANCE,
    closest,
    expected,
    monotone,
    next_samples,
    next_whole,
)
from common.crf import SCALES, Scale, spread
from common.model import CrfProbe

Curve = Callable[[float], float]
X264 = SCALES["h264"]


def sampled(target: float, curve: Curve, scale: Scale = X264, at_once: int = 0) -> list[CrfProbe]:
    """All probes of a search on samples, the first `at_once` of which know nothing of each other."""
    probes: list[CrfProbe] = []
    waiting = list(spread(target, scale, at_once)) if at_once else []
    while (crf := waiting.pop(0) if waiting else next_samples(target, scale, probes)) is not None:
        assert scale.low <= crf <= scale.high
        assert crf not in {probe.crf for probe in probes}
        probes.append(CrfProbe(crf, min(100.0, max(0.0, curve(crf))), None, whole=False))
        assert len(probes) <= MOST_SAMPLES
    return probes


def whole(target: float, curve: Curve, probes: list[CrfProbe], scale: Scale = X264) -> list[CrfProbe]:
    """The encodes of the whole input that follow."""
    made: list[CrfProbe] = []
    while (crf := next_whole(target, scale, [*probes, *made])) is not None:
        made.append(CrfProbe(crf, min(100.0, max(0.0, curve(crf))), None, whole=True))
    return made


def logistic(middle: float, width: float) -> Curve:
    return lambda crf: 100 / (1 + math.exp((crf - middle) / width))


CURVES = {
    "a usual one": logistic(44, 6),
    "an easy picture": logistic(52, 4),
    "a hard picture": logistic(30, 6),
    "a straight line": lambda crf: 110 - 1.5 * crf,
    "a cliff": logistic(30, 1.5),
    "a bent one": lambda crf: 100 - crf**2 / 30,
}


@pytest.mark.parametrize("target", [60, 80, 93, 97])
@pytest.mark.parametrize("name", CURVES)
def test_samples_come_close_to_a_target_that_can_be_reached(name: str, target: float) -> None:
    probes = sampled(target, CURVES[name])
    assert abs(closest(target, probes).vmaf - target) <= CLOSE * 2
    assert len(probes) <= MOST_SAMPLES


def test_a_usual_picture_needs_few_probes() -> None:
    assert len(sampled(94, CURVES["a usual one"])) <= 4


@settings(deadline=None)
@given(st.floats(20, 99.5), st.floats(5, 70), st.floats(0.5, 12), st.sampled_from(sorted(SCALES)))
def test_it_ends_on_every_curve_with_every_codec(
    target: float, middle: float, width: float, codec: str
) -> None:
    scale, curve = SCALES[codec], logistic(middle, width)
    probes = sampled(target, curve, scale)
    best = whole(target, curve, probes, scale)
    assert 1 <= len(best) <= MOST_WHOLE
    tried = [probe.crf for probe in best]
    assert len(set(tried)) == len(tried)


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_noise_misleads_it_by_no_more_than_the_noise(seed: int) -> None:
    noise = random.Random(seed)
    curve = logistic(44, 6)
    probes = sampled(90, lambda crf: curve(crf) + noise.uniform(-0.7, 0.7))
    made = whole(90, curve, probes)
    assert abs(closest(90, made).vmaf - 90) <= TOLERANCE


def test_a_target_above_all_ends_at_the_best_quality() -> None:
    def capped(crf: float) -> float:
        return min(80.0, 110 - 1.5 * crf)

    probes = sampled(99.5, capped)
    made = whole(99.5, capped, probes)
    assert closest(99.5, made).vmaf == 80


def test_a_target_below_all_ends_at_the_worst_quality() -> None:
    probes = sampled(20, lambda crf: 90 - crf / 10)
    assert whole(20, lambda crf: 90 - crf / 10, probes)[-1].crf == 51


def test_a_curve_of_steps_ends_on_the_nearest_step() -> None:
    def steps(crf: float) -> float:
        return 100 - 5 * (crf // 4)

    probes = sampled(82, steps)
    made = whole(82, steps, probes)
    assert closest(82, made).vmaf in (80, 85)


def test_whole_numbers_are_all_that_vp9_and_av1_get() -> None:
    for codec in ("vp9", "av1"):
        assert all(probe.crf % 1 == 0 for probe in sampled(93, logistic(60, 8), SCALES[codec]))


@pytest.mark.parametrize("off", [-15, -8, -3, 3, 8])
def test_unlucky_samples_are_corrected_by_the_whole_file(off: float) -> None:
    curve = logistic(44, 6)
    probes = sampled(75, lambda crf: curve(crf) + off)
    made = whole(75, curve, probes)
    assert abs(closest(75, made).vmaf - 75) <= TOLERANCE


def test_without_any_sample_the_whole_file_is_searched() -> None:
    made = whole(92, logistic(44, 6), [])
    assert abs(closest(92, made).vmaf - 92) <= TOLERANCE


@pytest.mark.parametrize("codec", SCALES)
@given(target=st.floats(20, 99.5), count=st.integers(2, 4))
def test_probes_at_once_are_different_and_on_the_scale(codec: str, target: float, count: int) -> None:
    scale = SCALES[codec]
    crfs = spread(target, scale, count)
    assert sorted(set(crfs)) == list(crfs)
    assert len(crfs) == count
    assert scale.low <= crfs[0] <= crfs[-1] <= scale.high
    assert all(round((crf - scale.low) / scale.step, 6) % 1 == 0 for crf in crfs)


def test_probes_at_once_lie_around_where_the_target_most_likely_is() -> None:
    assert spread(94, X264, 2) == (18, 30)
    assert spread(94, X264, 4) == (15, 21, 27, 33)


@pytest.mark.parametrize("at_once", [2, 3, 4])
def test_several_probes_at_once_leave_fewer_for_later(at_once: int) -> None:
    def later(at_once: int) -> int:
        cases = ((target, curve) for target in (80, 88, 94) for curve in CURVES.values())
        return sum(len(sampled(target, curve, X264, at_once)) - at_once for target, curve in cases)

    assert later(at_once) < later(0) * 2 / 3


@pytest.mark.parametrize("target", [60, 80, 93, 97])
@pytest.mark.parametrize("name", CURVES)
def test_probes_that_were_made_at_once_lead_to_the_target(name: str, target: float) -> None:
    probes = sampled(target, CURVES[name], at_once=4)
    assert abs(closest(target, probes).vmaf - target) <= CLOSE * 2


def test_the_first_encode_within_the_tolerance_is_the_last() -> None:
    probes = [CrfProbe(24, 94.9, None, whole=True)]
    assert next_whole(94, X264, probes) is None


def test_of_two_encodes_as_near_the_better_one_is_kept() -> None:
    pair = [CrfProbe(24, 94, None, whole=True), CrfProbe(26, 90, None, whole=True)]
    assert closest(92, pair).vmaf == 94


def test_measurements_that_contradict_each_other_are_made_monotone() -> None:
    assert monotone([(20, 95), (21, 96), (22, 90)]) == [(20, 95.5), (21, 95.5), (22, 90)]


def test_what_is_expected_of_the_whole_is_what_was_measured_where_it_was() -> None:
    probes = [
        CrfProbe(20, 96, None, whole=False),
        CrfProbe(30, 86, None, whole=False),
        CrfProbe(25, 85, None, whole=True),
    ]
    assert expected(X264, probes, 25) == pytest.approx(85)
    assert expected(X264, probes[:2], 20) == pytest.approx(96)
    assert 85 < expected(X264, probes, 22) < expected(X264, probes[:2], 22)


def test_where_a_cap_makes_less_crf_worse_the_best_sample_says_what_to_encode() -> None:
    curve = {1.0: 57.8, 20.5: 59.9, 35.0: 50.0}
    probes = [CrfProbe(crf, vmaf, None, whole=False) for crf, vmaf in curve.items()]
    assert next_whole(99.4, X264, probes) == 20.5
    assert next_whole(59.9, X264, probes) == 20.5
