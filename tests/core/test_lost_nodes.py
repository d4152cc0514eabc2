"""A node that falls silent is offline, and its jobs go back; when it is heard again it is back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from common.model import JobStatus, NodeStatus
from common.problems import Problem
from master.lifecycle import commands
from master.service import Farm, nodes, work
from tests.core.support import OPERATOR, FakeClock, claim, job, make_farm, must_claim, register, submit


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def farm(tmp_path: Path, clock: FakeClock) -> Farm:
    return make_farm(tmp_path, clock, lease=200, heartbeat_timeout=90)


def status(farm: Farm, node_id: str) -> NodeStatus:
    return nodes.get(farm, node_id).status


def test_three_missed_heartbeats_make_a_node_offline_and_free_its_jobs(farm: Farm, clock: FakeClock) -> None:
    job_id = submit(farm)
    node_id = register(farm)
    must_claim(farm, node_id)
    clock.advance(90)
    work.reap(farm)
    assert status(farm, node_id) is NodeStatus.BUSY
    clock.advance(1)
    work.reap(farm)
    assert status(farm, node_id) is NodeStatus.OFFLINE
    assert job(farm, job_id).job.status is JobStatus.PENDING
    clock.advance(5)
    assert job(farm, job_id).pending_reason == "every node that could run it is offline"


def test_a_heartbeat_brings_a_node_back_but_not_its_old_lease(farm: Farm, clock: FakeClock) -> None:
    submit(farm)
    node_id = register(farm)
    view = must_claim(farm, node_id)
    for seconds in (91, 5):
        clock.advance(seconds)
        work.reap(farm)
    _, held = nodes.heartbeat(farm, OPERATOR, node_id, None)
    assert status(farm, node_id) is NodeStatus.AVAILABLE
    assert held == []
    assert view.job.lease is not None
    again = must_claim(farm, node_id)
    assert again.job.lease is not None
    assert again.job.lease.lease_id != view.job.lease.lease_id


def test_heartbeats_renew_the_leases_they_name(tmp_path: Path, clock: FakeClock) -> None:
    farm = make_farm(tmp_path, clock, lease=60, heartbeat_timeout=1000)
    node_id = register(farm, max_concurrent_jobs=2)
    kept, dropped = submit(farm), submit(farm)
    lease = must_claim(farm, node_id).job.lease
    must_claim(farm, node_id)
    assert lease is not None
    for _ in range(3):
        clock.advance(50)
        nodes.heartbeat(farm, OPERATOR, node_id, [lease.lease_id])
        work.reap(farm)
    assert job(farm, kept).job.status is JobStatus.RUNNING
    assert job(farm, dropped).job.status is JobStatus.PENDING


def test_a_changed_wall_clock_expires_nothing(farm: Farm, clock: FakeClock) -> None:
    job_id = submit(farm)
    node_id = register(farm)
    must_claim(farm, node_id)
    start = clock().wall
    for days in (365, -365, 1 / 24):
        clock.set_wall(start + timedelta(days=days))
        work.reap(farm)
        assert job(farm, job_id).job.status is JobStatus.RUNNING
        assert status(farm, node_id) is NodeStatus.BUSY


def test_a_restart_grants_every_lease_and_every_node_a_full_term(tmp_path: Path, clock: FakeClock) -> None:
    farm = make_farm(tmp_path, clock, lease=60, heartbeat_timeout=90)
    job_id = submit(farm)
    node_id = register(farm)
    must_claim(farm, node_id)
    clock.advance(59)
    farm.store.close()
    clock.advance(1_000_000)
    farm = make_farm(tmp_path, clock, lease=60, heartbeat_timeout=90)
    work.reap(farm)
    clock.advance(59)
    work.reap(farm)
    assert job(farm, job_id).job.status is JobStatus.RUNNING
    clock.advance(2)
    work.reap(farm)
    assert job(farm, job_id).job.status is JobStatus.PENDING


def test_a_draining_node_gets_nothing_new(farm: Farm) -> None:
    submit(farm)
    node_id = register(farm)
    nodes.change(farm, OPERATOR, node_id, commands.Drain())
    assert claim(farm, node_id) is None
    assert status(farm, node_id) is NodeStatus.DRAINING
    nodes.change(farm, OPERATOR, node_id, commands.Resume())
    assert claim(farm, node_id) is not None


def test_a_removed_node_is_forgotten_and_its_jobs_go_back(farm: Farm) -> None:
    job_id = submit(farm)
    node_id = register(farm)
    must_claim(farm, node_id)
    nodes.remove(farm, OPERATOR, node_id)
    assert job(farm, job_id).job.status is JobStatus.PENDING
    with pytest.raises(Problem, match="There is no node"):
        nodes.get(farm, node_id)
