"""The times of pictures are looked at as they come, in little memory, however they are ordered."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.tally import Steps, Tally

MILLISECOND = Fraction(1, 1000)


def steps(starts: list[Fraction]) -> Steps:
    found = Steps()
    for start in starts:
        found.add(start)
    found.end()
    return found


def test_pictures_that_come_out_of_order_are_put_in_order() -> None:
    found = steps([Fraction(n, 25) for n in (0, 3, 1, 2, 6, 4, 5)])
    assert (found.least, found.most, found.span) == (Fraction(1, 25), Fraction(1, 25), 6 / 25)
    assert not found.vary(MILLISECOND)


def test_milliseconds_do_not_make_a_steady_rate_vary() -> None:
    rounded = [Fraction(round(n * 1000 / 30), 1000) for n in range(300)]
    assert not steps(rounded).vary(MILLISECOND)


def test_one_late_picture_makes_it_vary() -> None:
    assert steps([Fraction(n + (n > 50), 25) for n in range(100)]).vary(MILLISECOND)


def test_one_picture_or_none_has_no_steps() -> None:
    assert steps([]).span is None
    assert steps([Fraction(3)]).span == 0
    assert not steps([Fraction(3)]).vary(MILLISECOND)


@given(st.lists(st.fractions(-10, 10), min_size=2, max_size=60))
def test_a_few_are_sorted_exactly(starts: list[Fraction]) -> None:
    ordered = sorted(starts)
    found = steps(starts)
    pairs = list(pairwise(ordered))
    assert found.most == max(b - a for a, b in pairs)
    assert found.least == min(b - a for a, b in pairs)
    assert found.span == float(ordered[-1] - ordered[0])


def test_a_day_of_video_takes_no_more_memory_than_a_second() -> None:
    found = Steps()
    for n in range(10_000):
        found.add(Fraction(n, 50))
    assert len(found._waiting) <= 64


def test_a_stream_ends_with_the_picture_that_is_shown_last() -> None:
    tally, frame = Tally(), Fraction(1, 30)
    # Reordered, with a gap of ten pictures: MP4 gives the time to the next packet as a packet's length.
    for number, length in ((0, 1), (14, 10), (12, 1), (13, 1), (16, 1), (15, 1)):
        tally.add(number * frame, length * frame, 100)
    assert tally.seconds == float(17 * frame)
