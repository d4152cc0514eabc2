"""A node on which three different jobs fail in a row is set aside until an operator puts it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.failures import KINDS
from common.model import Failure, JobStatus, NodeStatus
from master.lifecycle import commands
from master.service import Farm, nodes, work
from tests.core.support import (
    OPERATOR,
    FakeClock,
    claim,
    crash,
    finish,
    job,
    make_farm,
    must_claim,
    register,
    submit,
)

BROKEN = Failure("encoder_error", "ffmpeg failed with exit code 1")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def farm(tmp_path: Path, clock: FakeClock) -> Farm:
    return make_farm(tmp_path, clock, lease=200, heartbeat_timeout=90)


def fail(farm: Farm, node_id: str, error: Failure = BROKEN) -> None:
    submit(farm)
    finish(farm, must_claim(farm, node_id), JobStatus.FAILED, error=error)


def status(farm: Farm, node_id: str) -> NodeStatus:
    return nodes.get(farm, node_id).status


@pytest.mark.parametrize(
    "code",
    sorted(
        code for code, kind in KINDS.items() if not kind.of_job and code not in ("canceled", "handed_back")
    ),
)
def test_three_different_jobs_in_a_row_set_it_aside_whatever_they_failed_of(farm: Farm, code: str) -> None:
    node_id = register(farm)
    fail(farm, node_id, Failure(code, "it broke"))
    fail(farm, node_id, Failure(code, "it broke"))
    assert status(farm, node_id) is NodeStatus.AVAILABLE
    fail(farm, node_id, Failure(code, "it broke at last"))
    assert status(farm, node_id) is NodeStatus.QUARANTINED
    reason = nodes.get(farm, node_id).node.quarantined
    assert reason == f"3 different jobs in a row failed on it; the last: it broke at last ({code})"
    waiting = submit(farm)
    assert claim(farm, node_id) is None
    assert "set aside; see: ffrtmp nodes show" in str(job(farm, waiting).pending_reason)
    assert claim(farm, register(farm)) is not None


def test_one_job_that_fails_again_and_again_says_nothing_of_the_node(farm: Farm, clock: FakeClock) -> None:
    node_id = register(farm)
    submit(farm)
    for _ in range(3):
        finish(farm, must_claim(farm, node_id), JobStatus.FAILED, error=Failure("encoder_killed", "killed"))
        clock.advance(60)
        work.reap(farm)
    assert status(farm, node_id) is NodeStatus.AVAILABLE


def test_a_completed_job_between_them_clears_the_node(farm: Farm) -> None:
    node_id = register(farm)
    for _ in range(3):
        fail(farm, node_id)
        fail(farm, node_id)
        submit(farm)
        finish(farm, must_claim(farm, node_id))
    assert status(farm, node_id) is NodeStatus.AVAILABLE


def test_an_operator_puts_it_back_and_the_count_begins_anew(farm: Farm) -> None:
    node_id = register(farm)
    for _ in range(3):
        fail(farm, node_id)
    assert nodes.change(farm, OPERATOR, node_id, commands.Resume()).status is NodeStatus.AVAILABLE
    fail(farm, node_id)
    fail(farm, node_id)
    assert status(farm, node_id) is NodeStatus.AVAILABLE
    fail(farm, node_id)
    assert status(farm, node_id) is NodeStatus.QUARANTINED


def test_it_stays_aside_when_its_agent_and_the_master_are_started_anew(
    tmp_path: Path, farm: Farm, clock: FakeClock
) -> None:
    node_id = register(farm, instance="one")
    for _ in range(3):
        fail(farm, node_id)
    register(farm, id=node_id, instance="two")
    crash(farm.store)
    assert status(make_farm(tmp_path, clock), node_id) is NodeStatus.QUARANTINED


def test_the_jobs_that_it_still_runs_are_left_to_it(farm: Farm) -> None:
    node_id = register(farm, max_concurrent_jobs=4)
    kept = submit(farm)
    view = must_claim(farm, node_id)
    for _ in range(3):
        fail(farm, node_id)
    finish(farm, view)
    assert job(farm, kept).job.status is JobStatus.COMPLETED
    assert status(farm, node_id) is NodeStatus.QUARANTINED


def test_one_silence_counts_once_however_many_jobs_it_cost(farm: Farm, clock: FakeClock) -> None:
    node_id = register(farm, max_concurrent_jobs=4)
    for _ in range(4):
        submit(farm)
        must_claim(farm, node_id)
    clock.advance(91)
    work.reap(farm)
    assert len(nodes.get(farm, node_id).node.failing) == 1


def test_leases_that_end_one_by_one_in_a_silence_do_not_count_at_all(
    tmp_path: Path, clock: FakeClock
) -> None:
    farm = make_farm(tmp_path, clock, lease=90, heartbeat_timeout=90)
    node_id = register(farm, max_concurrent_jobs=4)
    for _ in range(4):
        submit(farm)
        must_claim(farm, node_id)
        clock.advance(1)
    for _ in range(10):
        clock.advance(10)
        work.reap(farm)
    assert len(nodes.get(farm, node_id).node.failing) <= 1
    assert status(farm, node_id) is NodeStatus.OFFLINE


def test_how_many_is_a_setting_and_zero_is_never(tmp_path: Path, clock: FakeClock) -> None:
    farm = make_farm(tmp_path, clock, quarantine_after=0)
    node_id = register(farm)
    for _ in range(5):
        fail(farm, node_id)
    assert status(farm, node_id) is NodeStatus.AVAILABLE


@pytest.mark.parametrize("code", sorted(code for code, kind in KINDS.items() if kind.of_job))
def test_jobs_whose_inputs_cannot_be_had_say_nothing_against_the_node(farm: Farm, code: str) -> None:
    node_id = register(farm)
    for _ in range(4):
        fail(farm, node_id, Failure(code, "no such file"))
    assert status(farm, node_id) is NodeStatus.AVAILABLE
