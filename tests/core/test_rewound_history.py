"""Restored from an older copy of its state, a master never numbers two attempts of a job alike."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from common.history import History
from common.model import JobStatus
from common.problems import Problem
from master.service import Caller, Farm, queue
from master.store import snapshot
from tests.core.support import (
    OPERATOR,
    FakeClock,
    crash,
    embedded,
    finish,
    make_farm,
    must_claim,
    register,
    submit,
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def restore(farm: Farm, copy: Path, clock: FakeClock) -> Farm:
    """The state as it was when it was copied; what came after is lost."""
    crash(farm.store)
    state_dir = farm.config.state_dir
    shutil.rmtree(state_dir)
    shutil.copytree(copy, state_dir)
    return started(make_farm(state_dir, clock))


def started(farm: Farm) -> Farm:
    farm.begin()
    return farm


def told(farm: Farm) -> Caller:
    """An agent that has just been answered."""
    return replace(OPERATOR, heard=History(farm.store.history, farm.start))


@pytest.fixture
def farm(tmp_path: Path, clock: FakeClock) -> Farm:
    return started(make_farm(tmp_path / "state", clock))


def test_attempts_that_an_older_state_does_not_know_of_are_not_given_again(
    tmp_path: Path, farm: Farm, clock: FakeClock
) -> None:
    job_id = submit(farm)
    node_id = register(farm)
    shutil.copytree(farm.config.state_dir, tmp_path / "copy")
    given = set()
    for _ in range(3):  # the same copy again and again
        lost = must_claim(farm, node_id)
        assert lost.job.lease is not None
        assert lost.job.lease.number not in given
        given.add(lost.job.lease.number)
        agent = told(farm)
        farm = restore(farm, tmp_path / "copy", clock)
        for _ in range(10):  # the copy's own history outgrows the lost one before the agent calls
            submit(farm, priority="low")
        queue.compare_histories(farm, agent)
        with pytest.raises(Problem, match="Drop this attempt"):
            finish(farm, lost)
    again = must_claim(farm, node_id)
    assert again.job.lease is not None
    assert again.job.lease.number > max(given)
    finish(farm, again)
    assert again.job.id == job_id


def test_a_retry_count_does_not_jump_with_the_numbers(tmp_path: Path, farm: Farm, clock: FakeClock) -> None:
    submit(farm)
    node_id = register(farm)
    queue.compare_histories(farm, replace(OPERATOR, heard=History(5000, "lost")))
    view = must_claim(farm, node_id)
    assert view.job.lease is not None
    assert (view.job.lease.number, view.job.retry_count) == (5001, 0)
    finish(farm, view)
    assert view.job.status is JobStatus.RUNNING


def test_who_was_told_no_more_than_is_known_changes_nothing(
    tmp_path: Path, farm: Farm, clock: FakeClock
) -> None:
    agents = [OPERATOR]
    for _ in range(3):  # restarts
        agents.append(told(farm))
        submit(farm)
        agents.append(told(farm))
        crash(farm.store)
        farm = started(make_farm(tmp_path / "state", clock))
    for agent in agents:
        queue.compare_histories(farm, agent)
    view = must_claim(farm, register(farm))
    assert view.job.lease is not None
    assert view.job.lease.number == 1


@pytest.mark.parametrize("fold", [False, True])
def test_the_history_is_as_long_after_a_crash_and_a_snapshot(
    tmp_path: Path, farm: Farm, clock: FakeClock, fold: bool
) -> None:
    node_id = register(farm)
    for _ in range(3):
        submit(farm)
        finish(farm, must_claim(farm, node_id))
    queue.compare_histories(farm, replace(OPERATOR, heard=History(77, "lost")))
    before = farm.store.history
    assert before == 78
    crash(farm.store)
    farm = make_farm(tmp_path / "state", clock)
    if fold:
        snapshot.fold(tmp_path / "state" / "journal", embedded(farm)._journal.number - 1)
        crash(farm.store)
        farm = make_farm(tmp_path / "state", clock)
    assert farm.store.history == before
    assert not list((tmp_path / "state" / "journal").glob("*.part"))
