"""The numbers of a result follow from the values of frames by written formulas."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.quality.statistics import harmonic_mean, percentile, summarize, worst_second

VALUES = st.lists(st.floats(0, 100), min_size=1, max_size=200)


def times(count: int, rate: float = 10) -> list[float]:
    return [number / rate for number in range(count)]


def test_the_harmonic_mean_is_libvmafs_and_knows_frames_of_value_zero() -> None:
    assert harmonic_mean([0, 99]) == pytest.approx(2 / (1 + 1 / 100) - 1)
    assert harmonic_mean([50, 50]) == pytest.approx(50)


@given(VALUES)
def test_one_bad_frame_pulls_the_harmonic_mean_below_the_mean(values: list[float]) -> None:
    assert harmonic_mean(values) <= statistics.fmean(values) + 1e-9


@given(VALUES)
def test_the_1st_percentile_is_that_of_the_standard_library(values: list[float]) -> None:
    values = [*values, 50.0]
    expected = statistics.quantiles(values, n=100, method="inclusive")[0]
    assert percentile(values, 1) == pytest.approx(expected)


def test_the_worst_second_is_the_lowest_mean_of_a_whole_second() -> None:
    values = [90.0] * 10 + [60.0] * 10 + [90.0] * 10
    assert worst_second(values, times(30), 3.0) == 60


def test_a_rest_that_is_no_second_counts_only_where_there_is_nothing_else() -> None:
    values = [90.0] * 10 + [10.0] * 3
    assert worst_second(values, times(13), 1.3) == 90
    assert worst_second([10.0] * 3, times(3), 0.3) == 10


def test_frames_at_uneven_times_count_in_the_second_in_which_they_begin() -> None:
    values = [90.0, 80.0, 20.0, 90.0]
    assert worst_second(values, [0.0, 0.9, 1.0, 2.5], 3.0) == 20


def test_times_that_a_container_rounded_do_not_move_a_frame_to_the_second_before() -> None:
    assert worst_second([90.0, 50.0], [0.0, 0.9995], 2.0) == 50


@given(VALUES)
def test_no_number_lies_outside_of_its_frames(values: list[float]) -> None:
    found = summarize(values, times(len(values)), len(values) / 10).metrics("vmaf")
    assert set(found) == {"vmaf_mean", "vmaf_harmonic_mean", "vmaf_p1", "vmaf_worst_second"}
    assert all(min(values) - 1e-6 <= number <= max(values) + 1e-6 for number in found.values())


def test_there_are_no_numbers_of_no_frames() -> None:
    with pytest.raises(ValueError, match="one frame at least"):
        summarize([], [], 0)
