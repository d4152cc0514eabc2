"""A cut is better where an encode of the whole has a key frame too: there it costs no bytes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest

from agent.chunks.cuts import Divider, Output, output_of
from agent.chunks.groups import Groups
from agent.chunks.pictures import Key, Pictures

FPS = 25
BASE = Fraction(1, 1000)
LENGTH = 40
"""Ticks of a picture."""


def pictures(count: int, keys: Sequence[int], large: Sequence[int] = ()) -> Pictures:
    """With key frames at these, and packets as large as those of new scenes at others."""
    sizes = [12_000 if number in large else 1000 for number in range(count)]
    ticks = [LENGTH * number for number in range(count)]
    return Pictures(ticks, sizes, [Key(LENGTH * each, open=False) for each in keys], LENGTH * count)


def cuts(
    given: Pictures, gop: int = 50, piece: float | None = None, fps: int | None = None
) -> dict[int, float]:
    """By frame, how good each cut is that is found."""
    rate = None if fps is None else Fraction(fps)
    frames = None if fps is None else len(given.ticks) * fps // FPS
    output: Output = output_of(given, BASE, rate, frames)
    found = Divider(given, BASE, output, 4, gop, None if piece is None else Fraction(piece)).cuts()
    return {cut.frame: cut.scene for cut in found}


def test_a_key_frame_is_better_where_a_group_of_the_output_begins() -> None:
    found = cuts(pictures(500, range(0, 500, 25)))
    assert {frame: found[frame] for frame in (50, 75, 100, 125)} == {50: 0.5, 75: 0.0, 100: 0.5, 125: 0.0}


def test_groups_are_counted_from_the_last_change_of_the_scene() -> None:
    regular = [0, 100, 200, 230, 330, 430, 530]
    found = cuts(pictures(600, regular), gop=100)
    assert {frame: found[frame] for frame in regular[1:]} == {
        100: 0.5, 200: 0.5, 230: 0.7, 330: 0.5, 430: 0.5, 530: 0.5
    }  # fmt: skip


def test_soon_behind_a_key_frame_a_cut_is_the_better_the_less_is_decoded_in_vain() -> None:
    found = cuts(pictures(600, range(0, 600, 90)))
    # Behind 90 the next group begins with 100, behind 180 with 200, behind 270 with 300.
    assert {frame: found.get(frame) for frame in (90, 100, 180, 200, 300)} == {
        90: 0.0, 100: 0.4, 180: 0.0, 200: 0.3, 300: 0.2
    }  # fmt: skip


def test_what_begins_too_late_behind_a_key_frame_is_no_cut() -> None:
    assert 200 not in cuts(pictures(600, range(0, 600, 120)), gop=200)


def test_decoding_begins_with_the_key_frame_before_it() -> None:
    given = pictures(600, range(0, 600, 90))
    found = Divider(given, BASE, output_of(given, BASE, None, None), 4, 50).cuts()
    assert next(cut.seek for cut in found if cut.frame == 100) == 90 / FPS


def test_in_a_long_group_cuts_are_made_where_groups_of_the_output_begin_or_a_scene_does() -> None:
    found = cuts(pictures(1000, [0]))
    good = {frame: scene for frame, scene in found.items() if scene >= 0.5}
    assert len(good) >= 6
    assert all(frame % 50 == 0 and scene == 0.5 for frame, scene in good.items())
    new = cuts(pictures(1000, [0], large=[377]))
    assert new[377] == 1.0
    assert all(frame % 50 == (0 if frame < 377 else 27) for frame, scene in new.items() if scene >= 0.5)


def test_of_a_stream_groups_begin_with_its_pieces_whatever_scenes_do() -> None:
    given = pictures(600, [0, 75, 150, 225, 250, 325, 400, 475])
    assert {frame: scene for frame, scene in cuts(given, gop=1000, piece=3).items() if frame % 75 == 0} == {
        0: 0.0, 75: 0.5, 150: 0.5, 225: 0.5
    }  # fmt: skip


def test_with_another_rate_the_frames_of_the_output_are_counted() -> None:
    found = cuts(pictures(500, range(0, 500, 25)), gop=100, fps=50)
    assert {frame: found[frame] for frame in (50, 100, 150, 200)} == {50: 0.0, 100: 0.5, 150: 0.0, 200: 0.5}


@pytest.mark.parametrize(
    ("piece", "frame", "changed", "behind"),
    [
        (None, 0, 0, 50),
        (None, 49, 0, 50),
        (None, 50, 0, 100),
        (None, 130, 120, 170),
        (None, 980, 0, 1000),
        (3, 0, 0, 50),
        (3, 60, 0, 75),
        (3, 75, 70, 125),
        (3, 130, 120, 150),
    ],
)
def test_a_group_ends_after_its_frames_or_with_its_piece(
    piece: int | None, frame: int, changed: int, behind: int
) -> None:
    ticks = None if piece is None else Fraction(piece * FPS * LENGTH)
    groups = Groups(50, 1000, lambda number: LENGTH * number, ticks)
    assert groups.behind(frame, changed) == behind
    assert groups.begins(behind, changed) or behind == 1000
