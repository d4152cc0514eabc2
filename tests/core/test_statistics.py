"""The interval of a mean is Student's, and decides when a repeated encode ends."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.model import Confidence
from common.statistics import (
    MAX_RUNS,
    MIN_RUNS,
    WIDTHS,
    enough,
    expected_runs,
    interval,
    reached,
    t_quantile,
)

REPEATED = st.sampled_from(list(WIDTHS))
SPEEDS = st.lists(st.floats(0.01, 100), min_size=1, max_size=MAX_RUNS)


def probability_below(t: float, degrees: int) -> float:
    """Student's distribution, by Simpson's rule over its density from 0."""
    scale: float = math.gamma((degrees + 1) / 2) / (math.sqrt(degrees * math.pi) * math.gamma(degrees / 2))
    steps = 20_000
    points = (scale * (1 + (t * i / steps) ** 2 / degrees) ** (-(degrees + 1) / 2) for i in range(steps + 1))
    weights = (1 if i in (0, steps) else 4 if i % 2 else 2 for i in range(steps + 1))
    area: float = sum(w * p for w, p in zip(weights, points, strict=True)) * t / steps / 3
    return 0.5 + area


@pytest.mark.parametrize("n", range(2, MAX_RUNS + 1))
def test_the_quantiles_are_those_of_the_distribution(n: int) -> None:
    assert probability_below(t_quantile(n), n - 1) == pytest.approx(0.975, abs=2e-5)


def test_an_interval_as_a_textbook_has_it() -> None:
    found = interval([4.0, 5.0, 6.0])  # mean 5, s 1, t 4.303 for 2 degrees of freedom
    assert found is not None
    assert found.mean == 5.0
    assert found.high - found.mean == pytest.approx(4.303 / math.sqrt(3))
    assert found.mean - found.low == pytest.approx(4.303 / math.sqrt(3))
    assert found.width == pytest.approx(4.303 / math.sqrt(3) / 5)


def test_one_value_has_no_interval() -> None:
    assert interval([5.0]) is None
    assert interval([]) is None


def test_values_that_are_all_the_same_have_an_interval_without_width() -> None:
    found = interval([2.5, 2.5, 2.5])
    assert found is not None
    assert (found.low, found.mean, found.high, found.width) == (2.5, 2.5, 2.5, 0.0)


def test_two_runs_that_are_alike_are_not_enough() -> None:
    assert not reached([1.0, 1.0], 0.1)
    assert reached([1.0, 1.0, 1.0], 0.1)


@pytest.mark.parametrize(
    ("confidence", "wide", "narrow"),
    [
        # With 3 runs of spread s the interval reaches 4.303 / sqrt(3) = 2.484 times s.
        (Confidence.LOW, 0.041, 0.040),
        (Confidence.MEDIUM, 0.0202, 0.0201),
        (Confidence.HIGH, 0.0081, 0.0080),
    ],
)
def test_it_ends_when_the_interval_is_within_its_share_of_the_mean(
    confidence: Confidence, wide: float, narrow: float
) -> None:
    assert not enough([1 - wide, 1, 1 + wide], confidence)
    assert enough([1 - narrow, 1, 1 + narrow], confidence)


def test_auto_is_one_run() -> None:
    assert not enough([], Confidence.AUTO)
    assert enough([1.0], Confidence.AUTO)
    assert expected_runs([], Confidence.AUTO) == 1


@given(SPEEDS, REPEATED)
def test_it_takes_3_to_10_runs_whatever_is_measured(speeds: list[float], confidence: Confidence) -> None:
    assert enough(speeds, confidence) is (
        len(speeds) == MAX_RUNS or (len(speeds) >= MIN_RUNS and reached(speeds, WIDTHS[confidence]))
    )


@given(SPEEDS.filter(lambda speeds: len(speeds) < MAX_RUNS), REPEATED)
def test_more_runs_are_expected_than_there_were(speeds: list[float], confidence: Confidence) -> None:
    assert max(MIN_RUNS, len(speeds) + 1) <= expected_runs(speeds, confidence) <= MAX_RUNS


def test_runs_that_vary_are_expected_to_go_on() -> None:
    assert expected_runs([1.0, 1.001], Confidence.HIGH) == MIN_RUNS
    assert expected_runs([0.9, 1.1], Confidence.HIGH) == MAX_RUNS
    # 2.776 x 0.02 / sqrt(5) = 0.0248 for 5 runs and 2.571 x 0.02 / sqrt(6) = 0.021 for 6; 7 give 0.0185.
    assert expected_runs([0.98, 1.0, 1.02], Confidence.HIGH) == 7
