"""Samples become medians, spreads and ratios, and these meet targets or do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.rig import (
    QUICK_RUNS,
    RUNS,
    Conditions,
    Sample,
    Target,
    interleaved,
    median,
    quantile,
)
from tests.bench.support import result, row, taken


def test_each_subject_has_its_turn_in_each_round_and_every_other_round_goes_backwards() -> None:
    assert list(interleaved(3, 3)) == [0, 1, 2, 2, 1, 0, 0, 1, 2]
    assert list(interleaved(1, 2)) == [0, 0]
    assert list(interleaved(0, 5)) == []


def test_the_median_of_nothing_is_unknown() -> None:
    assert median([]) is None
    assert median([3.0]) == 3.0
    assert median([9.0, 1.0, 5.0]) == 5.0
    assert median([1.0, 2.0, 4.0, 100.0]) == 3.0


@pytest.mark.parametrize(
    ("part", "value"), [(0.0, 1), (0.01, 1), (0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100)]
)
def test_a_quantile_is_a_value_that_so_many_do_not_exceed(part: float, value: float) -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert quantile(values, part) == value


def test_a_quantile_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="nothing"):
        quantile([], 0.5)


def test_the_spread_is_between_the_least_and_the_most_as_a_share_of_the_median() -> None:
    assert taken("a", 8.0, 10.0, 13.0).spread == pytest.approx(0.5)
    assert taken("a", 10.0).spread is None
    assert taken("a", 0.0, 0.0).spread is None
    assert taken("a").spread is None


def test_other_figures_have_medians_too_also_those_that_some_samples_lack() -> None:
    both = taken("a", Sample(1.0, {"p99, ms": 4.0, "x": 1.0}), Sample(1.0, {"p99, ms": 6.0}))
    assert both.more() == {"p99, ms": 5.0, "x": 1.0}


def test_a_ratio_is_ours_divided_by_the_others_and_unknown_unless_both_were_measured() -> None:
    found = result(taken("ours", 8.0, 12.0), taken("slow", 4.0), taken("absent"), taken("zero", 0.0))
    assert found.ratio("slow") == 2.5
    assert found.ratio("absent") is None
    assert found.ratio("zero") is None
    assert found.ratio("never heard of") is None
    assert result(taken("ours"), taken("slow", 4.0)).ratio("slow") is None


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target(least=4.0, against="other"), True),
        (Target(least=4.1, against="other"), False),
        (Target(most=4.0, against="other"), True),
        (Target(most=3.9, against="other"), False),
        (Target(least=20.0), True),
        (Target(least=20.5), False),
        (Target(most=19.0), False),
        (Target(least=10.0, most=30.0), True),
        (Target(least=10.0, most=19.0), False),
        (Target(least=1.0, against="absent"), None),
    ],
)
def test_a_target_is_met_missed_or_unknown(target: Target, met: bool | None) -> None:
    found = result(taken("ours", 20.0), taken("other", 5.0), taken("absent"))
    assert found.met(target) is met


def test_nothing_is_known_of_a_row_that_was_given_up() -> None:
    found = replace(result(), taken=(), error="it took too long")
    assert found.ours is None
    assert found.met(Target(least=1.0)) is None


def test_a_quick_run_has_fewer_rounds_unless_the_row_says_how_many() -> None:
    assert (row().rounds(quick=False), row().rounds(quick=True)) == (RUNS, QUICK_RUNS)
    assert (row(runs=1).rounds(quick=False), row(runs=1).rounds(quick=True)) == (1, 1)


@pytest.mark.parametrize(("busy", "quiet"), [((0.0, 0.05), True), ((0.3, 0.0), False), ((0.0, 0.3), False)])
def test_a_machine_is_quiet_that_others_used_neither_before_nor_behind(
    busy: tuple[float, float], quiet: bool
) -> None:
    conditions = Conditions("2026-01-01 00:00", "make", (0.0, 0.0), busy, False, 1.0, "m", "v")
    assert conditions.quiet is quiet
