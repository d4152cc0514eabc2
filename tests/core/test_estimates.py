"""How long an attempt, and a job of several parts, still takes follows from what was seen of it."""

from __future__ import annotations

import pytest

from common.estimate import Course, Part, Step, left_of_parts, seconds_of_all

ENCODE = Step("encode", 100)
MEASURE = Step("measure", 50, usual=0.2)


def course(*ahead: Step, seen: dict[str, float] | None = None) -> Course:
    made = Course(0.0, seen)
    made.plan(ahead)
    return made


def test_a_step_that_nobody_has_seen_yet_is_unknown() -> None:
    way = course(ENCODE, MEASURE)
    way.begin(ENCODE, 0)
    assert way.left(0) is None
    assert way.percent(0) is None
    assert course(ENCODE).left(0) is None  # and so is one that has not begun


def test_the_first_that_a_step_tells_is_no_pace_yet() -> None:
    way = course(ENCODE)
    way.begin(ENCODE, 0)
    way.mark(0.01, 3)
    way.mark(0.06, 4)
    assert way.left(4) is None
    assert way.percent(4) is not None  # roughly: something is to be seen
    way.mark(0.11, 5)
    assert way.left(5) == pytest.approx(20 * 0.89)


def test_what_was_expected_of_a_step_counts_until_it_has_shown_itself() -> None:
    way = course(MEASURE)
    way.begin(MEASURE, 0)
    way.mark(0.01, 1)
    assert 10 < (way.left(1) or 0) < 20  # neither 10 nor 100
    way.mark(0.3, 30)
    assert way.left(30) == pytest.approx(70)


def test_what_comes_after_counts() -> None:
    way = course(ENCODE, MEASURE)
    way.begin(ENCODE, 0)
    way.mark(0.5, 10)
    assert way.left(10) == pytest.approx(10 + 10)
    way.begin(MEASURE, 20)
    assert way.left(25) == pytest.approx(5)


def test_what_earlier_attempts_showed_is_believed_before_what_is_usual() -> None:
    way = course(ENCODE, MEASURE, seen={"measure": 0.4})
    way.begin(ENCODE, 0)
    way.mark(0.5, 5)
    assert way.left(5) == pytest.approx(5 + 20)


def test_a_second_pass_follows_from_the_first_as_it_did_before() -> None:
    second = Step("pass 2", 100, like="pass 1", factor=2.0)
    for seen, expected in (({}, 20.0), ({"pass 1": 1.0, "pass 2": 5.0}, 50.0)):
        way = course(Step("pass 1", 100), second, seen=seen)
        way.begin(Step("pass 1", 100), 0)
        way.mark(0.5, 5)
        assert way.left(5) == pytest.approx(5 + expected)


def test_a_step_that_was_not_seen_follows_from_another_that_was() -> None:
    like = Step("measure", 50, usual=0.2, like="machine", factor=0.2)
    for seen, expected in (({}, 10.0), ({"machine": 3.0}, 30.0), ({"machine": 3.0, "measure": 0.1}, 5.0)):
        way = course(ENCODE, like, seen=seen)
        way.begin(ENCODE, 0)
        way.mark(0.5, 5)
        assert way.left(5) == pytest.approx(5 + expected)


def test_a_step_begins_in_place_of_the_first_of_its_kind_that_was_expected() -> None:
    way = course(ENCODE, MEASURE, ENCODE, MEASURE)
    way.begin(ENCODE, 0)
    way.begin(MEASURE, 10)
    assert way.left(10) == pytest.approx(10 + 10 + 10)


def test_a_step_that_takes_longer_than_expected_is_never_more_than_done() -> None:
    way = course(MEASURE)
    way.begin(MEASURE, 0)
    assert way.left(14) == 0
    assert way.percent(14) == 99


def test_a_step_that_stands_still_is_expected_to_do_so_for_as_long_again() -> None:
    never_began = course(MEASURE)
    never_began.begin(MEASURE, 0)
    assert [never_began.left(at) for at in (16, 115)] == [1, 100]
    hangs = course(ENCODE)
    hangs.begin(ENCODE, 0)
    for second in range(1, 10):
        hangs.mark(second / 10, second)
    assert hangs.left(9.5) == pytest.approx(0.5)
    assert hangs.left(16) == pytest.approx(1)
    assert hangs.left(115) == pytest.approx(100)
    hangs.mark(1.0, 116)
    assert (hangs.left(116) or 0) < 1


def steadily(
    pace: float, first: float = 0.0, share: float = 0.0, marks: int = 10
) -> list[tuple[float, float]]:
    """A step that gets as far as 10 * `pace` per cent in each second."""
    return [(first + n, share + n * pace) for n in range(1, marks + 1)]


def test_the_time_that_a_step_took_to_begin_is_no_pace() -> None:
    late = [(5 + at, share) for at, share in steadily(0.01)]
    assert seconds_of_all(late, 0) == pytest.approx(100)


def test_content_that_became_harder_is_believed_to_stay_so() -> None:
    marks = steadily(0.02) + steadily(0.005, 10, 0.2, 30)
    assert seconds_of_all(marks, 0) == pytest.approx(200)


def test_a_little_more_or_less_is_chance_and_all_of_it_counts() -> None:
    marks = steadily(0.01) + steadily(0.0098, 10, 0.1)
    assert seconds_of_all(marks, 0) == pytest.approx(101, abs=0.4)


def test_parts_that_wait_take_as_long_for_their_weight_as_the_others() -> None:
    parts = [Part(4, 40, 0), Part(2, 10, 10), Part(1, None)]
    assert left_of_parts(parts) == pytest.approx(20)


def test_as_many_parts_go_on_at_once_as_run_now() -> None:
    parts = [Part(1, 5, 5), Part(1, 5, 5), Part(1, None), Part(1, None), Part(1, None)]
    assert left_of_parts(parts) == pytest.approx(25)


@pytest.mark.parametrize(
    "parts", [[], [Part(1, None)], [Part(1, 5, None)], [Part(1, 5, 0), Part(1, None)]], ids=str
)
def test_of_parts_of_which_nothing_is_known_nothing_is_said(parts: list[Part]) -> None:
    assert left_of_parts(parts) is None
