"""A small line shows how a number went, with gaps where nobody knew it, and says the same in words."""

from __future__ import annotations

from master.api.dashboard.sparkline import HEIGHT, WIDTH, sparkline


def write(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def test_a_line_goes_from_the_first_moment_to_the_last_and_up_with_the_value() -> None:
    line = sparkline("CPU", [100, 110, 120], [0.0, 0.5, 1.0], write, 1.0)
    assert line.runs == [f"0,{HEIGHT - 2:g} {WIDTH / 2:g},{HEIGHT / 2:g} {WIDTH:g},2"]
    assert (line.now, line.last) == ("1", (WIDTH, 2.0))


def test_where_nobody_knew_there_is_a_gap_and_no_zero() -> None:
    line = sparkline("fps", [0, 1, 2, 3, 4], [5, 5, None, 5, 5], write)
    assert len(line.runs) == 2
    assert all(f",{HEIGHT - 2:g}" not in run for run in line.runs)


def test_the_words_say_the_newest_the_least_and_the_most() -> None:
    assert sparkline("fps", [0, 1, 2], [5, 9, 7], write).words == "fps: now 7, between 5 and 9"


def test_an_unknown_newest_value_is_a_dash() -> None:
    line = sparkline("fps", [0, 1], [5, None], write)
    assert (line.now, line.last) == ("–", None)


def test_nothing_known_is_no_line() -> None:
    for values in ([], [None, None]):
        line = sparkline("fps", list(range(len(values))), values, write)
        assert (line.runs, line.words) == ((), "fps: nothing is known")


def test_a_lone_value_can_be_seen_and_zeros_lie_on_the_ground() -> None:
    line = sparkline("fps", [7], [0.0], write)
    assert line.runs == [f"0,{HEIGHT - 2:g} 1,{HEIGHT - 2:g}"]
