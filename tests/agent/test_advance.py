"""The progress of an attempt is made of that of its steps, never goes back, and is whole only at its end."""

from __future__ import annotations

from agent.advance import Advance, unseen
from agent.paces import Paces
from common.estimate import Step
from common.model import Progress

FIRST, SECOND = Step("first", 10), Step("second", 10, like="first", factor=3.0)


class Listening:
    """An attempt on a clock of its own, and what it tells."""

    def __init__(self, paces: Paces | None = None) -> None:
        self.now = 0.0
        self.told: list[Progress] = []
        self.advance = Advance(lambda progress, _lines: self.told.append(progress), paces, lambda: self.now)

    def say(self, seconds: float, percent: float | None, frame: int | None = 1) -> Progress:
        """The step under way says so after so many seconds more; what comes of it."""
        self.now += seconds
        self.advance(Progress(frame=frame, percent=percent), [])
        return self.told[-1]


def test_nothing_is_said_before_it_is_known_which_steps_there_are() -> None:
    attempt = Listening()
    attempt.advance.begin(FIRST)
    assert (attempt.say(1, 10).percent, attempt.told[-1].seconds_left) == (None, None)


def test_a_step_that_comes_later_is_part_of_the_whole() -> None:
    attempt = Listening()
    attempt.advance.plan((FIRST, SECOND))
    attempt.advance.begin(FIRST)
    half = attempt.say(5, 50)
    assert (half.percent, half.seconds_left) == (12.5, 35)  # 10 s, and 30 s after it


def test_a_step_that_has_not_begun_leaves_the_frame_where_it_is() -> None:
    attempt = Listening()
    attempt.advance.plan((FIRST, SECOND))
    attempt.advance.begin(FIRST)
    attempt.say(10, 100, frame=9)
    attempt.advance.begin(SECOND)
    assert (attempt.told[-1].frame, attempt.told[-1].percent, attempt.told[-1].seconds_left) == (9, 25, 30)


def test_a_way_that_turns_out_longer_does_not_take_it_back() -> None:
    attempt = Listening()
    attempt.advance.plan((FIRST,))
    attempt.advance.begin(FIRST)
    assert attempt.say(9, 90).percent == 90
    attempt.advance.plan((SECOND, SECOND))
    longer = attempt.say(0.9, 99)
    assert longer.percent == 90
    assert longer.seconds_left is not None
    assert longer.seconds_left > 55


def test_it_is_not_at_its_end_before_it_ends() -> None:
    attempt = Listening()
    attempt.advance.plan((FIRST,))
    attempt.advance.begin(FIRST)
    assert attempt.say(10, 100).percent == 99


def test_what_one_attempt_learns_another_knows() -> None:
    paces = Paces()
    attempt = Listening(paces)
    attempt.advance.plan((FIRST,))
    attempt.advance.begin(FIRST)
    attempt.say(20, 100)
    attempt.advance.end()
    later = Listening(paces)
    later.advance.plan((FIRST,))
    later.advance.begin(FIRST)
    assert later.told[-1].seconds_left == 20


def test_measuring_tells_what_is_logged_and_how_far_it_is_and_nothing_of_the_encode() -> None:
    told: list[tuple[Progress, list[str]]] = []
    unseen(lambda progress, lines: told.append((progress, lines)))(
        Progress(frame=5, fps=3.0, speed=1.0, out_time=1.0, percent=50), ["a line"]
    )
    assert told == [(Progress(percent=50), ["a line"])]
