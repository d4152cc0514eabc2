"""Points, bars and scales are placed by their numbers alone."""

from __future__ import annotations

import pytest

from master.api.dashboard.plots import (
    BOTTOM,
    HEIGHT,
    KINDS,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Point,
    bars,
    plot,
    ticks,
)


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (103, 1987, [0, 500, 1000, 1500, 2000]),
        (92.1, 95.7, [92, 93, 94, 95, 96]),
        (0.95, 0.991, [0.95, 0.96, 0.97, 0.98, 0.99, 1.0]),
        (7, 7, [6, 8]),
        (0, 0, [0, 0.2]),
    ],
)
def test_scales_have_round_numbers_that_reach_around_the_values(
    low: float, high: float, wanted: list[float]
) -> None:
    found = ticks(low, high)
    assert found[0] <= low <= high <= found[-1]
    assert len(found) >= 2
    if low != high:
        assert found == pytest.approx(wanted)


def test_a_point_is_placed_between_the_ends_of_its_scales() -> None:
    drawn = plot("t", "x", "y", [Point(0, "a", 0, 0), Point(0, "b", 10, 10), Point(0, "c", 5, 5)])
    assert drawn is not None
    assert [(mark.left, mark.top) for mark in drawn.marks] == [
        (LEFT, HEIGHT - BOTTOM),
        (WIDTH - RIGHT, TOP),
        ((LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2),
    ]


def test_each_series_has_its_own_line_in_the_order_of_x() -> None:
    drawn = plot("t", "x", "y", [Point(1, "b", 10, 1), Point(1, "a", 0, 0), Point(KINDS, "c", 5, 1)])
    assert drawn is not None
    assert [kind for kind, _ in drawn.lines] == [1, 0]
    first, second = drawn.lines[0][1].split()
    assert float(first.split(",")[0]) < float(second.split(",")[0])


def test_without_points_there_is_no_plot() -> None:
    assert plot("t", "x", "y", []) is None


def test_a_bar_is_as_long_as_its_part_of_the_longest() -> None:
    assert [bar.share for bar in bars([(0, "a", 1.0), (1, "b", 4.0)])] == [25, 100]
    assert [bar.share for bar in bars([(0, "a", 0.0)])] == [0]
    assert bars([]) == []
