"""A paused job, or a paused queue, is given to no node; resumed, it goes on where it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.model import Failure, JobStatus
from common.problems import Problem
from master.lifecycle import commands
from master.service import Farm, jobs, queue
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


def pause(farm: Farm, job_id: str) -> JobStatus:
    return jobs.change(farm, OPERATOR, job_id, commands.PauseJob()).job.status


def resume(farm: Farm, job_id: str) -> JobStatus:
    return jobs.change(farm, OPERATOR, job_id, commands.ResumeJob()).job.status


def test_a_paused_job_is_passed_over_and_resumed_at_its_old_place(farm: Farm) -> None:
    first, second = submit(farm), submit(farm)
    node_id = register(farm, max_concurrent_jobs=2)
    for _ in range(2):
        assert pause(farm, first) is JobStatus.PAUSED
    assert must_claim(farm, node_id).job.id == second
    assert claim(farm, node_id) is None
    for _ in range(2):
        assert resume(farm, first) is JobStatus.PENDING
    submit(farm)
    assert must_claim(farm, node_id).job.id == first


def test_resuming_ends_a_backoff(farm: Farm) -> None:
    job_id = submit(farm)
    node_id = register(farm)
    finish(farm, must_claim(farm, node_id), JobStatus.FAILED, error=Failure("disk_full", "full"))
    assert claim(farm, node_id) is None
    pause(farm, job_id)
    resume(farm, job_id)
    assert must_claim(farm, node_id).job.id == job_id


def test_only_a_pending_job_can_be_paused(farm: Farm) -> None:
    job_id = submit(farm)
    view = must_claim(farm, register(farm))
    with pytest.raises(Problem, match="is running; only a pending job"):
        pause(farm, job_id)
    assert resume(farm, job_id) is JobStatus.RUNNING
    finish(farm, view)
    for change in (pause, resume):
        with pytest.raises(Problem, match="is completed; it cannot be"):
            change(farm, job_id)


def test_a_paused_job_can_be_canceled(farm: Farm) -> None:
    job_id = submit(farm)
    pause(farm, job_id)
    assert jobs.change(farm, OPERATOR, job_id, commands.Cancel()).job.status is JobStatus.CANCELED


def test_a_paused_queue_gives_nothing_out_and_says_so(farm: Farm) -> None:
    node_id = register(farm)
    job_id = submit(farm)
    for _ in range(2):
        assert queue.change(farm, OPERATOR, commands.PauseQueue()).paused
    assert claim(farm, node_id) is None
    assert job(farm, job_id).pending_reason == "the queue is paused; resume it with: ffrtmp queue resume"
    for _ in range(2):
        assert not queue.change(farm, OPERATOR, commands.ResumeQueue()).paused
    assert must_claim(farm, node_id).job.id == job_id


def test_a_running_job_is_finished_while_the_queue_is_paused(farm: Farm) -> None:
    job_id = submit(farm)
    view = must_claim(farm, register(farm))
    queue.change(farm, OPERATOR, commands.PauseQueue())
    finish(farm, view)
    assert job(farm, job_id).job.status is JobStatus.COMPLETED


def test_pauses_outlast_a_crash(tmp_path: Path, farm: Farm, clock: FakeClock) -> None:
    job_id = submit(farm)
    pause(farm, job_id)
    queue.change(farm, OPERATOR, commands.PauseQueue())
    crash(farm.store)
    again = make_farm(tmp_path, clock)
    assert queue.get(again).paused
    assert queue.get(again).counts[JobStatus.PAUSED] == 1
    assert job(again, job_id).job.status is JobStatus.PAUSED
