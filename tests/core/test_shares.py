"""Chunks get what they take at one quantizer, if a buffer lets them, and their mean is what was asked for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.shares import LEAST, TAKEN, Buffer, Hardness, Looked, shares

BUFFER = Buffer(1500, 2000)
"""Of a bitrate of 1000, as encoders have it. It begins with 1000, of which 200 stay in it. Where it is hard
encoders make use of a part of what comes in: that is what is counted on, and they are told of all."""
EASY, HARD = Hardness(1e-3), Hardness(1e6)

NUMBER = st.floats(0.001, 1e9)
PIECE = st.builds(Hardness, NUMBER, st.just(0.0) | NUMBER, st.just(0.0) | st.floats(0.001, 10))
CHUNK = st.builds(Looked, st.floats(0.04, 10_000), st.lists(PIECE, min_size=1, max_size=8))
CHUNKS = st.lists(CHUNK, min_size=1, max_size=8)


def steady(seconds: int, hardness: Hardness) -> Looked:
    return Looked(seconds, [hardness] * seconds)


def total(found: tuple[float, ...], chunks: list[Looked]) -> float:
    return sum(rate * each.seconds for rate, each in zip(found, chunks, strict=True))


@settings(deadline=None)
@given(CHUNKS, st.integers(10_000, 500_000_000))
def test_their_mean_over_the_time_is_the_bitrate(chunks: list[Looked], bitrate: int) -> None:
    found = shares(chunks, bitrate)
    target = bitrate * sum(each.seconds for each in chunks)
    assert total(found, chunks) == pytest.approx(target, rel=1e-9)
    assert min(found) >= bitrate * LEAST * 0.999


@settings(deadline=None)
@given(CHUNKS)
def test_none_gets_more_than_its_buffer_has_and_what_comes_in(chunks: list[Looked]) -> None:
    found = shares(chunks, 1e6, Buffer(1_500_000, 2_000_000))
    for rate, each in zip(found, chunks, strict=True):
        assert rate * each.seconds <= (800_000 + 1_500_000 * each.seconds) * 1.001


@settings(deadline=None)
@given(CHUNKS)
def test_what_is_not_made_use_of_is_given_out_again(chunks: list[Looked]) -> None:
    found = shares(chunks, 1e6, Buffer(1_500_000, 2_000_000))
    target = 1e6 * sum(each.seconds for each in chunks)
    assert target * (1 - 1e-9) <= total(found, chunks) <= target / TAKEN * (1 + 1e-9)


@settings(deadline=None)
@given(CHUNKS, st.lists(st.floats(1, 10), min_size=8, max_size=8), st.booleans())
def test_a_harder_chunk_never_gets_less(chunks: list[Looked], times: list[float], held: bool) -> None:
    easy = chunks[0]
    pieces = [
        Hardness(each.texture * more, each.motion, each.rest)
        for each, more in zip(easy.pieces, times, strict=False)
    ]
    found = shares(
        [*chunks, Looked(easy.seconds, pieces)], 1e6, Buffer(1_500_000, 2_000_000) if held else None
    )
    assert found[-1] >= found[0] * (1 - 1e-9)


def test_bits_of_texture_are_in_proportion_to_how_hard_a_second_is() -> None:
    assert shares([Looked(1, [Hardness(12)]), Looked(2, [Hardness(18)])], 1000) == pytest.approx([1200, 900])


def test_the_second_passes_of_all_chunks_find_one_quantizer() -> None:
    # At twice the step texture takes 2 ** 1.1 times less, motion 2 ** 0.5 times less, and the rest the same.
    pieces = (Hardness(1000, 50, 20), Hardness(100, 200, 5), Hardness(0, 0, 300))
    expected = [each.texture / 2**1.1 + each.motion / 2**0.5 + each.rest for each in pieces]
    found = shares([Looked(1, [each]) for each in pieces], sum(expected) / 3)
    assert found == pytest.approx(expected)


def test_what_a_buffer_does_not_let_a_hard_second_have_goes_to_the_others() -> None:
    found = shares([steady(1, HARD), steady(3, EASY)], 1000, BUFFER)
    assert found == pytest.approx([800 + 1500, (4000 - (800 + TAKEN * 1500)) / 3])


def test_the_longer_it_is_hard_the_less_a_second_has() -> None:
    found = shares([steady(10, HARD), steady(30, EASY)], 1000, BUFFER)
    assert found == pytest.approx([(800 + 10 * 1500) / 10, (40_000 - 800 - 10 * TAKEN * 1500) / 30])


@pytest.mark.parametrize(("still", "bits"), [(0, 1500), (1, 1500 + 1500), (9, 2000 - 200 + 1500)])
def test_seconds_that_take_nothing_fill_the_buffer_again_until_it_is_full(still: int, bits: int) -> None:
    chunk = Looked(2 + still, [HARD, *[Hardness(0)] * still, HARD])
    found = shares([chunk, steady(90, EASY)], 1000, BUFFER)
    assert found[0] * (2 + still) == pytest.approx(800 + 1500 + bits)


def test_hard_seconds_beside_easy_ones_get_no_more_than_alone() -> None:
    mixed = Looked(20, [HARD] * 10 + [Hardness(0)] * 10)
    found = shares([mixed, steady(20, Hardness(10))], 1000, BUFFER)
    assert found[0] * 20 == pytest.approx(800 + 10 * 1500)


def test_without_a_buffer_nothing_bounds_a_chunk() -> None:
    found = shares([steady(1, HARD), steady(99, EASY)], 1000)
    assert found[0] == pytest.approx(100_000 - 99 * 1000 * LEAST)


def test_where_nothing_is_hard_all_get_the_same() -> None:
    assert shares([Looked(1, [Hardness(0)]), Looked(3, [Hardness(0)])], 1000) == pytest.approx((1000, 1000))


def test_where_no_quantizer_is_coarse_enough_they_share_what_there_is() -> None:
    found = shares([Looked(1, [Hardness(9, rest=6000)]), Looked(1, [Hardness(9, rest=2000)])], 1000)
    assert found == pytest.approx([1500, 500])


@pytest.mark.parametrize("chunks", [[], [Looked(0, [EASY])], [Looked(1, [EASY]), Looked(1, [])]])
def test_chunks_without_a_length_or_a_hardness_are_refused(chunks: list[Looked]) -> None:
    with pytest.raises(ValueError, match="each chunk has a hardness"):
        shares(chunks, 1000)
