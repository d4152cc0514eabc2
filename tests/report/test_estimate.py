"""A mean's 95 % interval is Student's, as scipy has it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from common.statistics import t_quantile
from master.operator.report.estimate import estimate


@pytest.fixture(scope="module")
def stats() -> Any:
    from scipy import stats  # type: ignore[import-untyped]  # here: a second, also where tests are only collected

    return stats


@pytest.mark.parametrize("degrees", [*range(1, 41), 60, 100, 1000])
def test_the_quantiles_are_those_of_students_t(stats: Any, degrees: int) -> None:
    assert t_quantile(degrees + 1) == pytest.approx(stats.t.ppf(0.975, degrees), rel=5e-4)


def test_the_interval_is_that_of_scipy(stats: Any) -> None:
    values = [2.1, 2.4, 1.9, 2.2, 2.35]
    found = estimate(values)
    assert found is not None
    low, high = stats.t.interval(0.95, 4, loc=2.19, scale=stats.sem(values))
    assert found.n == 5
    assert [found.mean, found.low, found.high] == pytest.approx([2.19, low, high], rel=1e-4)


def test_one_value_has_no_interval_and_none_is_no_estimate() -> None:
    one = estimate([3.0])
    assert one is not None
    assert (one.mean, one.n, one.low, one.high) == (3.0, 1, None, None)
    assert estimate([]) is None


def test_equal_values_have_an_interval_without_width() -> None:
    same = estimate([95.5, 95.5, 95.5])
    assert same is not None
    assert same.low == same.high == same.mean == 95.5
    assert math.isfinite(same.mean)
