"""Frames are compared only if the output's and the source's are the same ones."""

from __future__ import annotations

import pytest

from agent.quality.alignment import misaligned

FILM = [number / 24 for number in range(48)]


def test_frames_at_the_same_times_are_the_same_ones_wherever_each_side_begins() -> None:
    later = [time + 1.4 for time in FILM]
    assert misaligned(later, FILM, [48], 48) is None


def test_what_a_container_rounds_is_no_difference() -> None:
    assert misaligned([round(time, 3) for time in FILM], FILM, [48], 48) is None


def test_frames_at_uneven_times_may_correspond() -> None:
    uneven = [0.0, 0.1, 0.15, 0.9, 1.0]
    assert misaligned(uneven, uneven, [5, 5], 5) is None


@pytest.mark.parametrize(
    ("output", "counted", "why"),
    [
        ([], 0, "no frame"),
        (FILM[:-1], 47, "47 frames, and the source 48"),
        (FILM[1:], 47, "47 frames, and the source 48"),
        (FILM, 50, "48 frames of the output can be decoded, and it has 50"),
        ([*FILM[:10], *(time + 1 / 24 for time in FILM[10:])], 48, "frame 10 of the output is 0.042 s too l"),
        ([0.0, *FILM[:-1]], 48, "frame 1 of the output is 0.042 s too early"),
    ],
)  # fmt: skip
def test_lost_added_and_moved_frames_are_told(output: list[float], counted: int, why: str) -> None:
    sentence = misaligned(output, FILM, [len(output)], counted)
    assert sentence is not None
    assert why in sentence


def test_a_method_that_missed_frames_is_told() -> None:
    sentence = misaligned(FILM, FILM, [48, 40], 48)
    assert sentence is not None
    assert "40 frames were compared" in sentence
