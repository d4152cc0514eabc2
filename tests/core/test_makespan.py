"""Uneven farms that fail now and then are done nearly as soon as can be, by the real planner and rules."""

from __future__ import annotations

import pytest

from bench.makespan import ALLOWED, Node, bound, simulate


@pytest.mark.parametrize(("nodes", "seed"), [(2, 0), (3, 1), (8, 0), (30, 1)])
def test_uneven_farms_with_failures_are_done_within_five_percent_of_the_bound(nodes: int, seed: int) -> None:
    found = simulate(nodes, 24, seed)
    assert found.chunks >= 22 * nodes
    assert 1.0 <= found.over <= ALLOWED


def test_the_simulation_has_failures_and_twins_and_is_the_same_again() -> None:
    found = simulate(30, 24, 0)
    assert found.lost > 0
    assert found.twins > 0
    assert simulate(30, 24, 0) == found


def test_the_bound_is_what_nodes_that_never_rest_need_and_no_chunk_is_divided() -> None:
    fast, slow = Node("a", 3.0, []), Node("b", 1.0, [])
    assert bound([fast, slow], [4.0] * 4) == pytest.approx((4.0, 4.0), abs=0.02)
    assert bound([fast, slow], [4.0] * 2) == pytest.approx((2.0, 8 / 3), abs=0.02)
    away = Node("a", 3.0, [(0.0, 10.0)])
    assert bound([away], [30.0]) == pytest.approx((20.0, 20.0), abs=0.02)
