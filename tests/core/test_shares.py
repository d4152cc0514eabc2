"""A bitrate is shared by how hard chunks are, within bounds, and their mean is what was asked for."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.shares import LEAST, MOST, shares

CHUNKS = st.lists(
    st.tuples(st.one_of(st.just(0.0), st.floats(0.001, 1e12)), st.floats(0.04, 10_000)),
    min_size=1,
    max_size=50,
)


@given(CHUNKS, st.integers(10_000, 500_000_000))
def test_their_mean_over_the_time_is_the_bitrate_and_each_is_within_the_bounds(
    chunks: list[tuple[float, float]], bitrate: int
) -> None:
    hardness, durations = zip(*chunks, strict=True)
    found = shares(hardness, durations, bitrate)
    total = sum(rate * seconds for rate, seconds in zip(found, durations, strict=True))
    assert total == pytest.approx(bitrate * sum(durations), rel=1e-9)
    assert all(bitrate * LEAST * 0.999 <= rate <= bitrate * MOST * 1.001 for rate in found)


@given(CHUNKS)
def test_a_harder_chunk_never_gets_less_a_second(chunks: list[tuple[float, float]]) -> None:
    hardness, durations = zip(*chunks, strict=True)
    found = shares(hardness, durations, 1e6)
    order = sorted(range(len(chunks)), key=lambda n: hardness[n] / durations[n])
    rates = [found[n] for n in order]
    assert all(late >= early * (1 - 1e-9) for early, late in pairwise(rates))


def test_bits_are_in_proportion_to_the_hardness_of_a_second() -> None:
    assert shares([12, 18], [1, 2], 1000) == pytest.approx([1200, 900])


def test_what_is_beyond_a_bound_is_shared_by_the_others() -> None:
    found = shares([1000, 2, 1], [1, 1, 1], 1000)
    assert found[0] == pytest.approx(1400)
    assert found[1] / found[2] == pytest.approx(2)
    assert sum(found) == pytest.approx(3000)


def test_where_nothing_is_hard_all_get_the_same() -> None:
    assert shares([0, 0], [1, 3], 1000) == (1000, 1000)


@pytest.mark.parametrize(("hardness", "durations"), [([], []), ([1], [0]), ([1, 2], [1])])
def test_chunks_without_a_length_or_a_hardness_are_refused(
    hardness: list[float], durations: list[float]
) -> None:
    with pytest.raises(ValueError, match="each chunk has a hardness"):
        shares(hardness, durations, 1000)
