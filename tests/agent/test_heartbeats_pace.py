"""Heartbeats come at their interval, with jitter, also when one of them hangs."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from agent.heartbeat import Heartbeats, interval, patience
from agent.metrics import Metrics
from agent.rotation import Rotation
from agent.running import RunningJobs


@pytest.mark.parametrize(("wished", "term"), [(30.0, 90.0), (3600.0, 90.0), (30.0, 2.0), (10.0, 3600.0)])
def test_the_third_comes_before_the_master_gives_the_node_up(wished: float, term: float) -> None:
    assert 3 * interval(wished, term, 1.0) <= term + 1e-9


def test_it_is_the_wished_one_and_up_to_a_tenth_more_or_less() -> None:
    assert [interval(10.0, 90.0, chance) for chance in (-1.0, 0.0, 1.0)] == pytest.approx([9.0, 10.0, 11.0])


@pytest.mark.parametrize(("term", "seconds"), [(2.0, 10.0), (45.0, 15.0), (90.0, 30.0), (3600.0, 30.0)])
def test_an_answer_is_waited_for_as_long_as_two_more_fit_in(term: float, seconds: float) -> None:
    assert patience(term) == seconds


class SlowLink:
    """Its first answer takes longer than many intervals."""

    term = 3600.0
    node_id = "node-1"

    def __init__(self) -> None:
        self.sent: list[float] = []
        self.terms: dict[str, Any] = {}
        self.release = threading.Event()

    def call(self, _: object) -> Any:
        self.sent.append(time.monotonic())
        if len(self.sent) == 1:
            self.release.wait(20)
        return 0.0, {"leases": []}


def test_time_spent_on_one_that_hangs_is_not_waited_again(tmp_path: Path) -> None:
    link: Any = SlowLink()
    ended = threading.Event()
    heartbeats = Heartbeats(link, RunningJobs(1), 0.5, threading.Event(), Rotation(link, tmp_path), Metrics())
    thread = threading.Thread(target=heartbeats.go_on, args=(ended,))
    thread.start()
    try:
        assert not link.release.wait(2)
        answered = time.monotonic()
        link.release.set()
        while len(link.sent) < 2:
            assert time.monotonic() < answered + 20
            ended.wait(0.01)
        assert link.sent[1] - answered < 0.4
    finally:
        ended.set()
        thread.join(20)
