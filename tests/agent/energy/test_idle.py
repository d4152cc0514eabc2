"""The idle baseline is a median of undisturbed stretches, and has an age."""

from __future__ import annotations

import threading

import pytest

from agent.energy import idle
from agent.energy.counters import Counter, Part
from agent.energy.idle import KEPT, LEAST, OLDEST, IdleMeter
from tests.agent.conftest import wait_until
from tests.agent.energy.conftest import FakeJobs


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def counting() -> Counter:
    count = iter(range(0, 10**9, 1000))
    return Counter("package-0", Part.PACKAGE, lambda: next(count))


def meter() -> tuple[IdleMeter, Clock]:
    clock = Clock()
    return IdleMeter([counting()], clock), clock


def test_a_few_stretches_are_no_baseline() -> None:
    measured, _ = meter()
    for _ in range(LEAST - 1):
        measured.note(10)
        assert measured.baseline() is None
    measured.note(10)
    assert measured.baseline() is not None


def test_it_is_the_median_and_says_how_old_it_is() -> None:
    measured, clock = meter()
    for watts in (12, 10, 95, 11, 10.5):
        clock.now += 60
        measured.note(watts)
    clock.now += 42
    baseline = measured.baseline()
    assert baseline is not None
    assert (baseline.watts, baseline.stretches, baseline.age) == (11, 5, 42)
    assert baseline.describe() == (
        "idle: 11 W, the median of 5 stretches of 10 s, the newest 42 s before the encode"
    )


def test_only_the_newest_are_kept_and_those_of_yesterday_are_not_believed() -> None:
    measured, clock = meter()
    for _ in range(KEPT):
        measured.note(50)
    for _ in range(KEPT):
        measured.note(20)
    baseline = measured.baseline()
    assert baseline is not None
    assert (baseline.watts, baseline.stretches) == (20, KEPT)
    clock.now += OLDEST + 1
    assert measured.baseline() is None


def run(measured: IdleMeter, jobs: FakeJobs, looks: int) -> None:
    """Its thread, until it has asked so often whether a job came."""
    ended = threading.Event()
    thread = threading.Thread(target=measured.go_on, args=(jobs, ended), daemon=True)
    thread.start()
    assert wait_until(lambda: jobs.asked >= looks)
    ended.set()
    thread.join(10)
    assert not thread.is_alive()


def test_it_measures_while_there_is_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "PERIOD", 0.001)
    measured, _ = meter()
    run(measured, FakeJobs(), looks=2 * (LEAST + 2))
    baseline = measured.baseline()
    assert baseline is not None
    assert baseline.watts > 0


def test_a_stretch_in_which_a_job_came_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "PERIOD", 0.001)
    measured, _ = meter()
    # Asked twice for each stretch: while the machine settles, and while it is measured.
    run(measured, FakeJobs(comes=[False, True] * 1000), looks=100)
    assert measured.baseline() is None


def test_without_a_counter_there_is_nothing_to_measure() -> None:
    jobs = FakeJobs()
    IdleMeter([]).go_on(jobs, threading.Event())
    assert jobs.asked == 0
