"""The progress of a job is made of that of its steps, and never goes back."""

from __future__ import annotations

from agent.advance import NeverBack, share, silent
from common.model import Progress

Told = list[tuple[float | None, int | None]]


def listening() -> tuple[NeverBack, Told]:
    told: Told = []
    return NeverBack(lambda progress, _lines: told.append((progress.percent, progress.frame))), told


def test_two_steps_share_the_way() -> None:
    tell, told = listening()
    for step in (share(tell, 0, 50), share(tell, 50, 100)):
        for frame in (1, 2):
            step(Progress(frame=frame, percent=50.0 * frame), [])
    assert told == [(25, 1), (50, 2), (75, 1), (100, 2)]


def test_a_step_that_has_not_begun_leaves_it_where_it_is() -> None:
    tell, told = listening()
    tell(Progress(frame=9, percent=90), [])
    tell(Progress(), [])
    assert told == [(90, 9), (90, 9)]


def test_a_later_step_that_knows_less_does_not_take_it_back() -> None:
    tell, told = listening()
    share(tell, 20, 60)(Progress(frame=9, percent=100), [])
    share(tell, 0, 10)(Progress(frame=1, percent=10), [])
    tell(Progress(frame=2), [])
    assert told == [(60, 9), (60, 1), (60, 2)]


def test_measuring_tells_what_is_logged_and_nothing_else() -> None:
    lines: list[str] = []
    tell = NeverBack(lambda _progress, more: lines.extend(more))
    silent(tell)(Progress(frame=5, percent=50), ["a line"])
    assert lines == ["a line"]
    tell, told = listening()
    silent(tell)(Progress(frame=5, percent=50), [])
    assert told == [(None, None)]
