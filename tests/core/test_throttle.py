"""Who asks too often waits: a steady rate for each caller, and bursts."""

from __future__ import annotations

import pytest

from master.throttle import Throttle


def test_a_burst_is_served_at_once_and_then_the_rate_holds() -> None:
    throttle = Throttle(rate=2, burst=3)
    served = [throttle.take("a", 100.0) for _ in range(6)]
    assert served[:3] == [0, 0, 0]
    assert all(wait > 0 for wait in served[3:])
    assert served[3] == pytest.approx(0.5)


def test_after_the_wait_that_was_told_it_is_served() -> None:
    throttle = Throttle(rate=2, burst=3)
    for _ in range(10):
        wait = throttle.take("a", 100.0)
    assert wait > 0
    assert throttle.take("a", 100.0 + wait / 2) > 0
    assert throttle.take("a", 100.001 + wait) == 0


def test_who_is_refused_owes_nothing_for_it() -> None:
    throttle = Throttle(rate=1, burst=1)
    waits = [throttle.take("a", 0.0) for _ in range(100)]
    assert max(waits) <= 1.0


def test_callers_do_not_wait_for_each_other() -> None:
    throttle = Throttle(rate=1, burst=1)
    while throttle.take("a", 0.0) == 0:
        pass
    assert throttle.take("b", 0.0) == 0


def test_more_than_a_burst_at_once_is_paid_for_afterwards() -> None:
    throttle = Throttle(rate=10, burst=10)
    assert throttle.take("a", 0.0, 1000) == 0
    assert throttle.take("a", 0.0) == pytest.approx(99.1)
    assert throttle.take("a", 99.2) == 0


def test_a_rate_of_nought_is_no_limit() -> None:
    throttle = Throttle(rate=0, burst=0)
    assert {throttle.take("a", 0.0, 10_000) for _ in range(100)} == {0}


def test_it_remembers_a_bounded_number_of_callers() -> None:
    throttle = Throttle(rate=1, burst=1, most_callers=10)
    for number in range(1000):
        throttle.take(str(number), 0.0)
    assert len(throttle._served_at) == 10
