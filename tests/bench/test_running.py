"""A row's subjects are all started, looked at in turn and ended, whatever goes wrong, in bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.rig import Result, Row, Sample, Taken
from bench.running import LateError, limited, measure
from tests.bench.support import row, subject


@pytest.fixture
def measured(tmp_path: Path) -> Callable[[Row], Result]:
    return lambda asked: measure(asked, True, tmp_path, "python -m bench --quick")


def test_all_subjects_are_looked_at_in_turn(measured: Callable[[Row], Result]) -> None:
    looks: list[str] = []

    def look(name: str) -> Callable[[], Sample]:
        def taking() -> Sample:
            looks.append(name)
            return Sample(float(len(looks)))

        return taking

    found = measured(row(ours=subject("a", look("a")), against=(subject("b", look("b")),), runs=2))
    assert looks == ["a", "b", "b", "a"]
    assert found.taken == (
        Taken("a", (Sample(1.0), Sample(4.0))),
        Taken("b", (Sample(2.0), Sample(3.0))),
    )
    assert found.error is None


def test_what_does_not_exist_is_named_and_the_others_are_measured(measured: Callable[[Row], Result]) -> None:
    found = measured(row(against=(subject("b", missing="no such thing"),), runs=2))
    assert found.of("b") == Taken("b", (), "no such thing")
    assert found.ours == Taken("ours", (Sample(1.0), Sample(1.0)))
    assert found.error is None


def test_a_row_that_fails_says_why_keeps_its_samples_and_ends_its_subjects(
    measured: Callable[[Row], Result],
) -> None:
    ended: list[str] = []
    left = [Sample(7.0)]
    failing = subject("ours", left.pop, closed=lambda: ended.append("ours"))
    found = measured(row(ours=failing, against=(subject("b", closed=lambda: ended.append("b")),), runs=2))
    assert found.error == "IndexError: pop from empty list"
    assert found.ours == Taken("ours", (Sample(7.0),))
    assert ended == ["b", "ours"]


def test_a_row_is_given_up_when_its_time_is_over(measured: Callable[[Row], Result]) -> None:
    ended: list[str] = []

    def hang() -> Sample:
        time.sleep(60)
        return Sample(1.0)

    found = measured(row(ours=subject("ours", hang, closed=lambda: ended.append("ours")), limit=0.05))
    assert found.error == "LateError: it took more than 0.05 s"
    assert ended == ["ours"]


def test_a_limit_around_it_still_holds_when_the_row_is_measured() -> None:
    def wait() -> None:
        with limited(0.2):
            with limited(60):
                pass
            time.sleep(60)

    with pytest.raises(LateError, match=r"more than 0\.2 s"):
        wait()


def test_a_result_says_when_where_and_how_it_was_measured(measured: Callable[[Row], Result]) -> None:
    conditions = measured(row(runs=1)).conditions
    assert conditions.command == "python -m bench --quick"
    assert conditions.quick
    assert all(0 <= share <= 1 for share in conditions.busy)
    assert "Python" in conditions.machine
    assert conditions.version
