"""A file is cut into chunks that have each of its frames once, alike whenever it is asked."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.model import MOST_CUTS, Cut, Divisible, Window
from common.split import MOST_CHUNKS
from master.chunking import LEAST_FRAMES, LONGEST, OVERHEAD, SHORTEST, SIZES, windows

FPS = 25


def a_file(frames: int, cuts: list[Cut]) -> Divisible:
    return Divisible(None, frames=frames, end=frames, time_base=(1, FPS), cuts=tuple(cuts))


def a_cut(frame: int, frames: int, scene: float = 0.0, work: int = 0, lead: int = 12) -> Cut:
    before = max(0, frame - lead)
    return Cut(frame, frame, (before, before), before / FPS, scene, work)


def regular(seconds: int, every: int = 50, lead: int = 12) -> Divisible:
    frames = seconds * FPS
    return a_file(frames, [a_cut(frame, frames, lead=lead) for frame in range(0, frames, every)])


def lengths_of(chosen: tuple[Window, ...]) -> list[int]:
    return [window.end - window.first for window in chosen]


@st.composite
def files(draw: st.DrawFn) -> Divisible:
    frames = draw(st.integers(1, 20_000))
    inner = draw(st.sets(st.integers(1, max(1, frames - 1)), max_size=120))
    places = sorted({0, *(frame for frame in inner if frame < frames)})
    return a_file(
        frames,
        [
            a_cut(frame, frames, draw(st.sampled_from([0.0, 0.3, 1.0])), draw(st.integers(0, 10**6)))
            for frame in places
        ],
    )


COUNTS = st.one_of(st.just(0), st.integers(2, MOST_CHUNKS))


@given(files(), COUNTS)
def test_the_chunks_have_each_frame_once_and_in_order(divisible: Divisible, asked: int) -> None:
    chosen = windows(divisible, asked)
    assert chosen[0].first == 0
    assert chosen[-1].end == divisible.frames
    assert all(one.end == other.first for one, other in pairwise(chosen))
    assert all(window.first < window.end for window in chosen)
    assert sum(window.work for window in chosen) == sum(cut.work for cut in divisible.cuts)


@given(files(), COUNTS)
def test_what_an_encoder_sees_is_within_the_file_and_begins_before_its_chunk(
    divisible: Divisible, asked: int
) -> None:
    for window in windows(divisible, asked):
        assert 0 <= window.lead <= window.first < window.end <= divisible.frames
        first, end, lead = window.ticks
        assert 0 <= lead <= first < end <= divisible.end


@given(files(), COUNTS, st.integers(1, 40))
def test_there_are_never_more_than_asked_for_or_than_may_be(
    divisible: Divisible, asked: int, most: int
) -> None:
    chosen = windows(divisible, asked, most)
    assert len(chosen) <= most
    if asked:
        assert len(chosen) <= asked


@given(files(), COUNTS)
def test_no_chunk_is_shorter_than_the_least(divisible: Divisible, asked: int) -> None:
    chosen = windows(divisible, asked)
    if len(chosen) > 1:
        assert min(window.end - window.first for window in chosen) >= LEAST_FRAMES


@given(files(), COUNTS)
def test_the_same_file_is_cut_alike(divisible: Divisible, asked: int) -> None:
    assert windows(divisible, asked) == windows(divisible, asked)


def test_a_short_file_stays_whole_unless_chunks_are_asked_for() -> None:
    assert len(windows(regular(29))) == 1
    assert len(windows(regular(29), 3)) == 3
    assert len(windows(regular(30))) == 2


@pytest.mark.parametrize("seconds", [30, 39, 40, 59, 60, 70, 119])
def test_a_few_chunks_are_alike_and_of_an_even_number(seconds: int) -> None:
    lengths = lengths_of(windows(regular(seconds, every=1, lead=4)))
    assert len(lengths) % 2 == 0
    assert SHORTEST <= seconds / len(lengths) < 2 * SHORTEST
    assert max(lengths) - min(lengths) <= 2


@pytest.mark.parametrize("seconds", [120, 125, 149, 3601])
def test_of_many_chunks_a_third_is_large_and_a_third_small(seconds: int) -> None:
    lengths = sorted(lengths_of(windows(regular(seconds, every=1, lead=4))))
    assert SHORTEST <= seconds / len(lengths) < 1.25 * SHORTEST
    third = len(lengths) // len(SIZES)
    assert len(lengths) == third * len(SIZES)
    whole, of_all = sum(SIZES) * third, seconds * FPS
    for number, size in enumerate(reversed(SIZES)):
        of_size = lengths[number * third : (number + 1) * third]
        assert of_size == pytest.approx([of_all * size / whole] * third, abs=2)


def test_as_many_chunks_as_are_asked_for_of_equal_work() -> None:
    chosen = windows(regular(120, every=1), 8)
    assert [window.end - window.first for window in chosen] == [375] * 8


def test_chunks_are_as_short_as_what_is_not_brought_allows() -> None:
    def of(lead: int) -> tuple[float, float]:
        chosen = windows(regular(3600, every=10, lead=lead))
        unseen = sum(each.first - each.lead for each in chosen)
        return 3600 / len(chosen), unseen / (3600 * FPS)

    shortest, cost = of(4)
    assert (round(shortest), cost <= OVERHEAD) == (SHORTEST, True)
    between, cost = of(15)
    assert SHORTEST < between < LONGEST
    assert cost <= OVERHEAD
    assert round(of(200)[0]) == LONGEST


def test_a_scene_cut_near_the_ideal_place_is_preferred() -> None:
    frames = 60 * FPS
    cuts = [a_cut(frame, frames, scene=1.0 if frame == 850 else 0.0) for frame in range(0, frames, 10)]
    assert windows(a_file(frames, cuts), 2)[1].first == 850
    plain = [a_cut(frame, frames) for frame in range(0, frames, 10)]
    assert windows(a_file(frames, plain), 2)[1].first == 750


def test_hard_passages_make_shorter_chunks() -> None:
    frames = 60 * FPS
    cuts = [a_cut(frame, frames, work=900 if frame < 500 else 100) for frame in range(0, frames, 10)]
    first, second = windows(a_file(frames, cuts), 2)
    assert first.end < second.end - second.first


def test_where_cuts_are_far_apart_there_are_fewer_chunks() -> None:
    frames = 60 * FPS
    chosen = windows(a_file(frames, [a_cut(frame, frames) for frame in (0, 1000)]), 6)
    assert [(window.first, window.end) for window in chosen] == [(0, 1000), (1000, 1500)]


def test_as_many_cuts_as_can_be_reported_are_looked_at_a_few_times_each() -> None:
    looked = 0

    class Counted(Cut):
        def __getattribute__(self, name: str) -> object:
            nonlocal looked
            looked += 1
            return super().__getattribute__(name)

    frames = MOST_CUTS * 20
    cuts: list[Cut] = []
    for frame in range(0, frames, 20):
        plain = a_cut(frame, frames)
        cuts.append(Counted(plain.frame, plain.tick, plain.lead, plain.seek))
    chosen: tuple[Window, ...] = windows(a_file(frames, cuts), MOST_CHUNKS)
    assert len(chosen) == MOST_CHUNKS
    assert looked < 60 * MOST_CUTS
