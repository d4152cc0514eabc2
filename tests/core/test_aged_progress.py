"""What is shown of an attempt is as it is now, not as it was when its agent told it; it never goes back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from common.model import Progress
from common.progress import ALMOST, MOST_AGE, after, aged
from master.live.progress import Report
from master.service import Farm, work
from tests.core.support import OPERATOR, FakeClock, job, must_claim, register, submit

HALF = Progress(frame=10, fps=5.0, speed=1.0, out_time=2.0, percent=50.0, seconds_left=8.0)


@pytest.mark.parametrize(
    ("seconds", "left", "percent"),
    [(0.0, 8.0, 50.0), (-1.0, 8.0, 50.0), (2.0, 6.0, 62.5), (7.99, 0.0, ALMOST), (60.0, 0.0, ALMOST)],
)
def test_less_is_left_and_more_is_over_the_longer_ago_it_was_told(
    seconds: float, left: float, percent: float
) -> None:
    now = aged(HALF, seconds)
    assert (now.seconds_left, now.percent) == (left, percent)
    assert (now.frame, now.fps, now.speed, now.out_time) == (10, 5.0, 1.0, 2.0)  # of those nothing is known


def test_an_agent_that_is_silent_for_long_is_not_believed_to_go_on() -> None:
    slow = Progress(percent=20.0, seconds_left=100.0)
    assert aged(slow, MOST_AGE) == aged(slow, 10 * MOST_AGE)
    assert aged(slow, MOST_AGE).seconds_left == 100.0 - MOST_AGE


def test_what_is_not_known_stays_so() -> None:
    assert aged(Progress(percent=20.0), 5) == Progress(percent=20.0)
    assert aged(Progress(seconds_left=7.0), 5) == Progress(seconds_left=2.0)
    assert after(Progress(frame=3), HALF) == Progress(frame=3)
    assert after(HALF, None) == after(HALF, Progress()) == HALF


def claimed(farm: Farm) -> tuple[str, str, str]:
    """A running job: its id, its node, its lease."""
    node_id = register(farm)
    job_id = submit(farm)
    lease = must_claim(farm, node_id).job.lease
    assert lease is not None
    return job_id, node_id, lease.lease_id


def test_a_job_is_shown_as_far_as_it_is_now(farm: Farm, clock: FakeClock) -> None:
    job_id, node_id, lease_id = claimed(farm)
    work.progress(farm, OPERATOR, job_id, node_id, lease_id, HALF, [])
    clock.advance(2)
    shown = job(farm, job_id).progress
    assert shown is not None
    assert (shown.seconds_left, shown.percent) == (6.0, 62.5)


def test_percent_does_not_go_back_when_the_agent_tells_less_than_was_shown(
    farm: Farm, clock: FakeClock
) -> None:
    job_id, node_id, lease_id = claimed(farm)
    seen = []
    for told in (HALF, Progress(percent=51.0, seconds_left=30.0), Progress(percent=52.0, seconds_left=29.0)):
        work.progress(farm, OPERATOR, job_id, node_id, lease_id, told, [])
        for _ in range(4):
            shown = job(farm, job_id).progress
            assert shown is not None
            seen.append((shown.percent, shown.seconds_left))
            clock.advance(0.5)
    percents = [percent or 0 for percent, _ in seen]
    assert percents == sorted(percents)
    assert seen[4] == (62.5, 30.0)  # more is left than was thought, and that is said


def test_streams_tell_it_as_it_is_when_they_tell_it() -> None:
    report = Report("j", "n", None, HALF, told_at=100.0, at=datetime(2026, 1, 1, tzinfo=UTC))
    assert report.by(100.0) == HALF
    assert report.by(102.0).seconds_left == 6.0
