"""How the farm stands is told from indexes that agree with its jobs, whatever happens to them."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

import pytest

from common.model import Failure, JobStatus, Priority, Progress
from common.problems import Problem
from master.lifecycle import commands
from master.service import Farm, gauges, jobs, nodes, queue, work
from tests.core.support import (
    OPERATOR,
    FakeClock,
    claim,
    crash,
    finish,
    make_farm,
    must_claim,
    register,
    submit,
)
from tests.metrics.support import page_of

CHANGES: dict[str, commands.JobCommand] = {
    "p": commands.PauseJob(),
    "u": commands.ResumeJob(),
    "x": commands.Cancel(),
}


def by_hand(farm: Farm) -> dict[Priority, tuple[int, datetime | None]]:
    """The depth of the queue and its oldest job, from all jobs."""
    with farm.store.transaction(farm.clock()) as tx:
        waiting = [job for job in tx.page(JobStatus.PENDING, None, 1000) if job.waits_for_a_node]
    return {
        priority: (len(these), min((job.created_at for job in these), default=None))
        for priority in Priority
        for these in [[job for job in waiting if job.priority is priority]]
    }


def agrees(farm: Farm) -> None:
    found, now = gauges.get(farm), farm.clock().wall
    for priority, (depth, oldest) in by_hand(farm).items():
        assert found.waiting[priority] == depth
        age = None if oldest is None else (now - oldest).total_seconds()
        assert found.oldest.get(priority) == age


@pytest.mark.parametrize("seed", range(4))
def test_the_queues_depth_and_age_are_those_of_its_jobs(tmp_path: Path, clock: FakeClock, seed: int) -> None:
    farm = make_farm(tmp_path, clock, quarantine_after=0)
    chance = random.Random(seed)
    node_ids = [register(farm, f"n{i}", max_concurrent_jobs=3) for i in range(3)]
    job_ids: list[str] = []
    held = []
    for _ in range(250):
        clock.advance(chance.randint(1, 20))
        step = chance.choice("sssssccfrppuuux")
        try:
            if step == "s":
                job_ids.append(submit(farm, priority=chance.choice(list(Priority)).value))
            elif step == "c":
                for node_id in node_ids:
                    nodes.heartbeat(farm, OPERATOR, node_id, None)
                view = claim(farm, chance.choice(node_ids))
                held += [view] if view is not None else []
            elif step == "f" and held:
                failed = {"error": Failure("disk_full", "no room")}
                finish(farm, held.pop(), JobStatus.FAILED, **failed)
            elif step == "r":
                work.reap(farm)
            elif job_ids and step in CHANGES:
                jobs.change(farm, OPERATOR, chance.choice(job_ids), CHANGES[step])
        except Problem:
            pass  # it came too late
        agrees(farm)
    page = page_of(farm)
    for event in ("job_claimed", "job_requeued", "job_paused", "job_resumed", "job_canceled"):
        assert page.value("ffrtmp_events_total", event=event), event
    crash(farm.store)
    again = make_farm(tmp_path, clock)
    agrees(again)


def test_a_job_that_waits_for_its_backoff_waits(farm: Farm, clock: FakeClock) -> None:
    submit(farm)
    view = must_claim(farm, register(farm))
    assert page_of(farm).value("ffrtmp_queue_jobs", priority="medium") == 0
    clock.advance(10)
    finish(farm, view, JobStatus.FAILED, error=Failure("disk_full", "no room"))
    page = page_of(farm)
    assert page.value("ffrtmp_queue_jobs", priority="medium") == 1
    assert page.value("ffrtmp_queue_oldest_seconds", priority="medium") == 10


def test_an_empty_queue_has_no_oldest_job(farm: Farm) -> None:
    assert page_of(farm).all("ffrtmp_queue_oldest_seconds") == []


def test_a_paused_queue_says_so(farm: Farm) -> None:
    assert page_of(farm).value("ffrtmp_queue_paused") == 0
    queue.change(farm, OPERATOR, commands.PauseQueue())
    assert page_of(farm).value("ffrtmp_queue_paused") == 1


def test_nodes_and_slots_are_counted_by_how_they_stand(farm: Farm, clock: FakeClock) -> None:
    lost = register(farm, "lost", max_concurrent_jobs=5)
    clock.advance(60)
    busy, free = (register(farm, name, max_concurrent_jobs=2) for name in ("busy", "free"))
    for _ in range(2):
        submit(farm)
        view = must_claim(farm, busy)
        lease = view.job.lease
        assert lease is not None
        farm.store.liveness.set_progress(lease.lease_id, Progress(fps=30.0), farm.clock())
    clock.advance(60)
    work.reap(farm)
    page = page_of(farm)
    for status, count in {"offline": 1, "busy": 1, "available": 1, "draining": 0}.items():
        assert page.value("ffrtmp_nodes", status=status) == count
    for state, count in {"taken": 2, "free": 2, "unavailable": 5}.items():
        assert page.value("ffrtmp_slots", state=state) == count
    for node_id, up, running in ((lost, 0, 0), (busy, 1, 2), (free, 1, 0)):
        assert page.value("ffrtmp_node_up", node=node_id) == up
        assert page.value("ffrtmp_node_running_jobs", node=node_id) == running
    assert page.value("ffrtmp_node_running_frames_per_second", node=busy) == 60
    assert page.value("ffrtmp_node_running_frames_per_second", node=free) is None
    heard = page.value("ffrtmp_node_last_heartbeat_timestamp_seconds", node=busy)
    assert heard == clock().wall.timestamp() - 60
    assert {labels["address"] for labels in page.all("ffrtmp_node_info")} == {"lost", "busy", "free"}


def test_without_a_server_its_numbers_are_not_told(farm: Farm) -> None:
    assert page_of(farm, None).value("ffrtmp_http_connections") is None
    assert page_of(farm).value("ffrtmp_http_connections") == 3
