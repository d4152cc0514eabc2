"""The agent reads how busy its machine is: the CPUs' share between two readings, and the memory's."""

from __future__ import annotations

import time

from agent.load import Meter, share


def test_the_share_is_what_was_not_idle_between_two_readings() -> None:
    assert share((1000.0, 900.0), (1010.0, 902.5)) == 0.75


def test_it_is_unknown_while_no_time_has_passed() -> None:
    assert share((1000.0, 900.0), (1000.0, 900.0)) is None
    assert share(None, (1000.0, 900.0)) is None


def test_counters_that_went_back_give_no_impossible_share() -> None:
    assert share((1000.0, 900.0), (1010.0, 899.0)) == 1.0
    assert share((1000.0, 900.0), (1010.0, 912.0)) == 0.0


def test_a_machine_that_works_is_busy() -> None:
    meter = Meter()
    begun = time.process_time()
    while time.process_time() - begun < 0.2:
        pass
    load = meter.read()
    assert load.cpu is not None
    assert load.memory is not None
    assert 0 < load.cpu <= 1
    assert 0 < load.memory < 1
