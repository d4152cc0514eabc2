"""Decoders get all frames in time, and each frame lasts until the next one."""

from __future__ import annotations

import pytest

from agent.chunks.seams import Film, SeamError


def _film(end: int, *chunks: list[int]) -> Film:
    film = Film(end)
    for number, ticks in enumerate(chunks, 1):
        film.add(f"chunk-{number:03}", ticks)
    return film


def test_without_reordering_both_times_are_one() -> None:
    assert list(_film(40, [0, 10], [20, 30]).decoded()) == [0, 10, 20, 30]


def test_the_deepest_reordering_of_any_chunk_holds_for_all() -> None:
    film = _film(100, [0, 10, 20], [30, 70, 50, 40, 60])
    times = list(film.decoded())
    assert film.late == 2
    assert times == sorted(set(times))
    assert all(time <= shown for time, shown in zip(times, [0, 10, 20, 30, 70, 50, 40, 60], strict=True))
    assert times == [-20, -10, 0, 10, 20, 30, 40, 50]


def test_a_long_frame_does_not_delay_all_others() -> None:
    film = _film(1030, [0, 1000, 10, 1010, 1020])
    assert list(film.decoded()) == [-10, 0, 10, 1000, 1010]


def test_a_frame_lasts_until_the_next_one_and_the_last_until_the_end() -> None:
    film = _film(100, [0, 30, 10], [50])
    assert [film.length(place) for place in range(4)] == [10, 20, 20, 50]


@pytest.mark.parametrize(
    ("chunks", "sentence"),
    [
        ([[0, 0]], "chunk-001 has two frames at one moment"),
        ([[0, 10], [10]], "chunk-002 begins before"),
        ([[0, 40]], "chunk-001 has a frame after the end"),
    ],
)
def test_chunks_that_overlap_are_refused(chunks: list[list[int]], sentence: str) -> None:
    with pytest.raises(SeamError, match=sentence):
        _film(40, *chunks)
