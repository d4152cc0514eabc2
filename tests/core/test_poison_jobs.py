"""A job that loses every agent that runs it is set aside before it has taken the whole farm down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from common.model import JobStatus, Outcome
from master.service import Farm, nodes, work
from tests.core.support import OPERATOR, FakeClock, claim, job, make_farm, must_claim, register, submit

Loss = Callable[[Farm, FakeClock, str], None]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def farm(tmp_path: Path, clock: FakeClock) -> Farm:
    return make_farm(tmp_path, clock, lease=60, heartbeat_timeout=90, max_attempts=10)


def fall_silent(farm: Farm, clock: FakeClock, _node_id: str) -> None:
    clock.advance(91)
    work.reap(farm)


def start_anew(farm: Farm, _clock: FakeClock, node_id: str) -> None:
    register(farm, id=node_id, instance="another")


def remove(farm: Farm, _clock: FakeClock, node_id: str) -> None:
    nodes.remove(farm, OPERATOR, node_id)


def lose_agents(farm: Farm, clock: FakeClock, how_often: int, loss: Loss) -> None:
    for _ in range(how_often):
        clock.advance(400)  # any backoff is over
        work.reap(farm)
        node_id = register(farm, instance="one")
        must_claim(farm, node_id)
        loss(farm, clock, node_id)


@pytest.mark.parametrize("loss", [fall_silent, start_anew])
def test_a_job_is_quarantined_when_it_has_lost_its_third_agent(
    farm: Farm, clock: FakeClock, loss: Loss
) -> None:
    job_id = submit(farm)
    lose_agents(farm, clock, 2, loss)
    assert job(farm, job_id).job.status is JobStatus.PENDING
    lose_agents(farm, clock, 1, loss)
    aside = job(farm, job_id).job
    assert aside.status is JobStatus.FAILED
    assert aside.error is not None
    assert aside.error.code == "quarantined"
    assert "3 agents were lost while they ran this job" in aside.error.message
    assert f"ffrtmp jobs retry {job_id}" in aside.error.message
    assert [attempt.outcome for attempt in aside.attempts] == [Outcome.LOST] * 3


def test_a_job_is_not_to_blame_when_an_operator_removes_its_nodes(farm: Farm, clock: FakeClock) -> None:
    job_id = submit(farm)
    lose_agents(farm, clock, 5, remove)
    assert job(farm, job_id).job.status is JobStatus.PENDING


def test_how_many_agents_is_a_setting_and_zero_is_never(tmp_path: Path, clock: FakeClock) -> None:
    farm = make_farm(tmp_path, clock, max_attempts=10, quarantine_after=0)
    job_id = submit(farm)
    lose_agents(farm, clock, 5, fall_silent)
    assert job(farm, job_id).job.status is JobStatus.PENDING


def test_the_first_loss_costs_no_delay_and_the_second_does(farm: Farm, clock: FakeClock) -> None:
    submit(farm)
    lose_agents(farm, clock, 1, fall_silent)
    node_id = register(farm)
    must_claim(farm, node_id)
    fall_silent(farm, clock, node_id)
    assert claim(farm, register(farm)) is None
    clock.advance(10)
    work.reap(farm)
    assert claim(farm, register(farm)) is not None
