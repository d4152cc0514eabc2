"""A parked poll is answered as soon as there is a job for it, and one is woken, not all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from common.clock import system_clock
from common.model import Failure, Job, JobStatus, Node, NodeStatus, Role
from common.problems import Problem
from common.schema import RegisterSchema
from common.version import PROTOCOL
from master import scheduler
from master.config import Config
from master.files import Shelf
from master.lifecycle import commands
from master.service import Caller, Farm, JobView, claiming, jobs, nodes, queue, work
from master.service.farm import new_id
from master.store.archive import Archive
from master.store.logs import LogStore
from master.store.memory import MemoryStore
from tests.core.support import OPERATOR, claim, embedded, finish, must_claim, next_job, register, submit


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    store = MemoryStore(tmp_path / "journal", system_clock(), segment_bytes=64 * 1024)
    logs, archive = LogStore(tmp_path / "logs"), Archive(tmp_path / "archive")
    shelf = Shelf(tmp_path / "files", None, system_clock, new_id)
    yield Farm(Config(tmp_path, max_parked_polls=12), store, logs, archive, shelf, system_clock)
    store.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as executor:
        yield executor


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 10 s"
        time.sleep(0.002)


def poll(farm: Farm, pool: ThreadPoolExecutor, node_id: str, wait: float = 30) -> Future[JobView | None]:
    """Start a poll, and return when it is parked."""
    future = pool.submit(next_job, farm, OPERATOR, node_id, None, wait)
    until(lambda: node_id in farm.waiters._parked or future.done())
    return future


def test_a_poll_is_answered_when_a_job_is_submitted(farm: Farm, pool: ThreadPoolExecutor) -> None:
    parked = poll(farm, pool, register(farm))
    job_id = submit(farm)
    view = parked.result(10)
    assert view is not None
    assert view.job.id == job_id


def test_one_is_woken_for_one_job_and_it_is_one_that_can_run_it(farm: Farm, pool: ThreadPoolExecutor) -> None:
    wrong = poll(farm, pool, register(farm, encoders=["libx265"]))
    first = poll(farm, pool, register(farm, encoders=["libx264"]))
    second = poll(farm, pool, register(farm, encoders=["libx264"]))
    submit(farm)
    assert first.result(10) is not None
    assert not second.done()
    assert not wrong.done()
    farm.waiters.close()
    for ended in (second, wrong):
        with pytest.raises(Problem, match="stopping"):
            ended.result(10)


def test_a_poll_ends_empty_when_its_time_is_over(farm: Farm, pool: ThreadPoolExecutor) -> None:
    assert poll(farm, pool, register(farm), wait=0.05).result(10) is None
    assert not farm.waiters._parked


def test_a_newer_poll_of_the_same_node_ends_the_older_one(farm: Farm, pool: ThreadPoolExecutor) -> None:
    node_id = register(farm)
    older = poll(farm, pool, node_id)
    newer = pool.submit(next_job, farm, OPERATOR, node_id, None, 30)
    assert older.result(10) is None
    submit(farm)
    assert newer.result(10) is not None


def test_a_change_of_its_node_wakes_a_poll(farm: Farm, pool: ThreadPoolExecutor) -> None:
    submit(farm)
    node_id = register(farm)
    nodes.change(farm, OPERATOR, node_id, commands.Drain())
    parked = poll(farm, pool, node_id)
    assert not parked.done()
    nodes.change(farm, OPERATOR, node_id, commands.Resume())
    assert parked.result(10) is not None


def test_a_slot_that_becomes_free_wakes_the_poll_of_a_busy_node(farm: Farm, pool: ThreadPoolExecutor) -> None:
    node_id = register(farm, max_concurrent_jobs=1)
    first, second = submit(farm), submit(farm)
    must_claim(farm, node_id)
    parked = poll(farm, pool, node_id)
    jobs.change(farm, OPERATOR, first, commands.Cancel())
    view = parked.result(10)
    assert view is not None
    assert view.job.id == second


def test_nodes_that_can_take_nothing_are_not_woken_in_turn(farm: Farm, pool: ThreadPoolExecutor) -> None:
    for name in ("u", "v"):
        node_id = register(farm, name)
        nodes.change(farm, OPERATOR, node_id, commands.Drain())
        poll(farm, pool, node_id)
    claims: list[str] = []
    farm.store.subscribe(lambda told: claims.extend(type(event).__name__ for event in told.events))
    before = embedded(farm)._journal.position
    submit(farm)
    assert not any(waiter.woken.rung for waiter in farm.waiters._parked.values())
    assert len(farm.waiters._parked) == 2
    assert claims == ["JobSubmitted"]
    assert embedded(farm)._journal.position > before
    farm.waiters.close()


def test_a_poll_of_an_unapproved_node_is_not_parked(farm: Farm) -> None:
    fields = RegisterSchema().load({"address": "stranger", "credential": "c" * 32})
    node_id = nodes.register(farm, Caller(Role.ANYONE), fields).node.id
    assert next_job(farm, OPERATOR, node_id, None, 30) is None
    assert not farm.waiters._parked


def test_a_job_whose_woken_node_cannot_take_it_goes_to_another(farm: Farm, pool: ThreadPoolExecutor) -> None:
    draining = register(farm, "draining")
    nodes.change(farm, OPERATOR, draining, commands.Drain())
    futures = [poll(farm, pool, draining), poll(farm, pool, register(farm, "able"))]
    submit(farm)
    assert futures[1].result(10) is not None
    farm.waiters.close()
    with pytest.raises(Problem, match="stopping"):
        futures[0].result(10)


def test_polls_past_the_bound_are_answered_at_once(farm: Farm, pool: ThreadPoolExecutor) -> None:
    bound = farm.config.max_parked_polls
    parked = [poll(farm, pool, register(farm)) for _ in range(bound)]
    assert next_job(farm, OPERATOR, register(farm), None, 30) is None
    farm.waiters.close()
    assert all(isinstance(future.exception(10), Problem) for future in parked)


def test_an_ended_backoff_wakes_a_poll(farm: Farm, pool: ThreadPoolExecutor) -> None:
    farm.config = Config(farm.config.state_dir, retry_backoff=0.05)
    node_id = register(farm)
    submit(farm)
    finish(farm, must_claim(farm, node_id), JobStatus.FAILED, error=Failure("disk_full", "no space"))
    parked = poll(farm, pool, node_id)

    def reaped() -> bool:
        work.reap(farm)
        return parked.done()

    until(reaped)
    assert parked.result(10) is not None


def test_a_job_that_comes_in_the_moment_a_poll_times_out_is_taken(farm: Farm) -> None:
    node_id = register(farm)
    steps = claiming.wait_for_jobs(farm, OPERATOR, claiming.Poll(node_id), 30)
    next(steps)  # it is parked
    job_id = submit(farm)  # this wakes the very poll whose time is just over
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert [view.job.id for view in end.value.value] == [job_id]


def test_a_silent_node_is_lost_although_a_poll_of_it_is_parked(farm: Farm, pool: ThreadPoolExecutor) -> None:
    farm.config = Config(farm.config.state_dir, heartbeat_timeout=0.05)
    node_id = register(farm)
    parked = poll(farm, pool, node_id)

    def reaped() -> bool:
        work.reap(farm)
        return parked.done()

    until(reaped)
    assert parked.result(10) is None
    assert nodes.get(farm, node_id).status is NodeStatus.OFFLINE
    submit(farm)
    assert nodes.get(farm, node_id).status is NodeStatus.OFFLINE


def test_a_goodbye_ends_the_poll_and_hands_its_jobs_to_others(farm: Farm, pool: ThreadPoolExecutor) -> None:
    node_id = register(farm, max_concurrent_jobs=2, instance="one")
    submit(farm)
    must_claim(farm, node_id)
    parked = poll(farm, pool, node_id)
    nodes.leave(farm, OPERATOR, node_id, "one")
    assert parked.result(10) is None
    assert nodes.get(farm, node_id).status is NodeStatus.OFFLINE
    assert claim(farm, register(farm, "another")) is not None


def test_a_backoff_that_ends_is_not_overlooked_when_a_node_that_cannot_run_it_polls_first(
    farm: Farm, pool: ThreadPoolExecutor
) -> None:
    farm.config = Config(farm.config.state_dir, retry_backoff=0.01)
    able = register(farm, encoders=["libx264"])
    submit(farm)
    finish(farm, must_claim(farm, able), JobStatus.FAILED, error=Failure("disk_full", "no space"))
    parked = poll(farm, pool, able)
    unable = register(farm, encoders=["libx265"])
    until(lambda: jobs.page(farm, OPERATOR, None, None, 1)[0][0].pending_reason == "waits for a free slot")
    assert next_job(farm, OPERATOR, unable, None, 0) is None
    work.reap(farm)
    assert parked.result(10) is not None


def test_while_the_queue_is_paused_polls_do_not_pass_a_job_from_one_to_the_other(
    farm: Farm, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For ever, that would be, and on a whole core."""
    woken = []
    real = farm.waiters.wake_for

    def counted(job: Job, before: int | None = None) -> None:
        woken.append(job.id)
        real(job, before)

    monkeypatch.setattr(farm.waiters, "wake_for", counted)
    queue.change(farm, OPERATOR, commands.PauseQueue())
    parked = [poll(farm, pool, register(farm)) for _ in range(2)]
    submit(farm)
    until(lambda: len(farm.waiters._parked) == 2)
    assert len(woken) == 1
    submit(farm)
    queue.change(farm, OPERATOR, commands.ResumeQueue())
    assert all(poll_.result(10) is not None for poll_ in parked)


def busy_node(farm: Farm, label: str) -> str:
    """A node with one of two slots taken."""
    agent, labels = replace(OPERATOR, protocol=PROTOCOL), {"site": label}
    node_id = register(farm, label, agent, labels=labels, max_concurrent_jobs=2)
    submit(farm, constraints={"labels": labels})
    must_claim(farm, node_id)
    return node_id


def test_a_job_that_runs_alone_wakes_idle_nodes_only(farm: Farm, pool: ThreadPoolExecutor) -> None:
    busy = poll(farm, pool, busy_node(farm, "a"))
    idle = poll(farm, pool, register(farm, "idle", replace(OPERATOR, protocol=PROTOCOL)))
    submit(farm, confidence="high")
    assert idle.result(10) is not None
    assert not busy.done()
    farm.waiters.close()
    busy.exception(10)


def test_nodes_that_make_room_do_not_pass_a_job_round_in_circles(
    farm: Farm, pool: ThreadPoolExecutor
) -> None:
    node_ids = [busy_node(farm, label) for label in "abc"]
    for label in "abc":
        submit(farm, confidence="high", priority="high", constraints={"labels": {"site": label}})
    looks: list[str] = []
    choose = scheduler.choose

    def counted(node: Node, *rest: Any) -> Job | None:
        looks.append(node.id)
        return choose(node, *rest)

    with patch.object(scheduler, "choose", counted):
        parked = [poll(farm, pool, node_id) for node_id in node_ids]
        until(lambda: len(looks) == 3)
        submit(farm)
        until(lambda: len(looks) >= 9)  # each once for the job, and once more when it is parked again
        time.sleep(0.05)
        assert sorted(looks) == sorted(node_ids * 3)
    farm.waiters.close()
    for future in parked:
        future.exception(10)


def test_a_node_that_made_room_is_woken_when_nobody_needs_it(farm: Farm, pool: ThreadPoolExecutor) -> None:
    node_id = busy_node(farm, "a")
    alone = submit(farm, confidence="high", priority="high")
    other = submit(farm)
    parked = poll(farm, pool, node_id)
    assert not parked.done()
    jobs.change(farm, OPERATOR, alone, commands.Cancel())
    view = parked.result(10)
    assert view is not None
    assert view.job.id == other


def test_a_node_that_made_room_is_woken_when_another_took_the_job(
    farm: Farm, pool: ThreadPoolExecutor
) -> None:
    parked = poll(farm, pool, busy_node(farm, "a"))
    busier = busy_node(farm, "b")
    submit(farm, constraints={"labels": {"site": "b"}})
    must_claim(farm, busier)
    alone, other = submit(farm, confidence="high", priority="high"), submit(farm)
    until(lambda: len(farm.waiters._parked) == 1)  # it looked, and waits again
    for held in nodes.get(farm, busier).held:
        jobs.change(farm, OPERATOR, held.id, commands.Cancel())
    assert not parked.done()
    assert must_claim(farm, busier).job.id == alone
    view = parked.result(10)
    assert view is not None
    assert view.job.id == other
