"""Values are in order whenever somebody looks, however they came and went since."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from master.store import ordered
from master.store.ordered import Ordered

STEPS = st.lists(
    st.tuples(st.sampled_from(["come", "come", "go", "look", "count", "first"]), st.integers(0, 30)),
    max_size=120,
)


@given(STEPS, st.sampled_from([2, 5, 1000]))
def test_it_has_what_came_and_did_not_go(steps: list[tuple[str, int]], most: int) -> None:
    values, expected = Ordered[int](), set[int]()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ordered, "_MOST", most)
        for step, value in steps:
            if step == "come" and value not in expected:
                values.add(value)
                expected.add(value)
            elif step == "go":
                values.discard(value)
                expected.discard(value)
            elif step == "look":
                assert list(values) == sorted(expected)
                assert list(values.above(value)) == sorted(each for each in expected if each > value)
                assert list(values.below(value)) == sorted((e for e in expected if e < value), reverse=True)
            elif step == "first" and expected:
                assert values.first == min(expected)
            assert len(values) == len(expected)
    assert list(values) == sorted(expected)


def test_what_came_and_went_between_two_looks_is_never_sorted() -> None:
    values = Ordered[int]()
    values.add(5)
    assert list(values) == [5]
    for value in range(100, 200):
        values.add(value)
    for value in range(100, 200):
        values.discard(value)
    assert len(values) == len(values._sorted) == 1
    assert list(values) == [5]
