"""The farm at a glance: depths and ages by priority, what finished last, and which jobs no node can take."""

from __future__ import annotations

from datetime import timedelta

from common.model import JobStatus, Priority, Role
from master.lifecycle import commands
from master.service import Caller, Farm, glance, jobs, nodes
from tests.core.support import OPERATOR, FakeClock, finish, must_claim, register, submit


def test_each_priority_has_its_depth_and_its_oldest_job(farm: Farm, clock: FakeClock) -> None:
    begun = clock().wall
    first = submit(farm, priority="high")
    clock.advance(10)
    submit(farm, priority="high")
    submit(farm, priority="low")
    depths = glance.get(farm, OPERATOR).depths
    assert depths[Priority.HIGH] == glance.Depth(2, begun)
    assert depths[Priority.MEDIUM] == glance.Depth(0, None)
    assert depths[Priority.LOW] == glance.Depth(1, begun + timedelta(seconds=10))
    jobs.change(farm, OPERATOR, first, commands.Cancel())
    assert glance.get(farm, OPERATOR).depths[Priority.HIGH].jobs == 1


def test_what_finished_last_comes_first_whenever_it_was_submitted(farm: Farm, clock: FakeClock) -> None:
    node = register(farm, max_concurrent_jobs=2)
    early, late = submit(farm), submit(farm)
    views = [must_claim(farm, node), must_claim(farm, node)]
    for view in reversed(views):
        clock.advance(1)
        finish(farm, view)
    assert [job.id for job in glance.get(farm, OPERATOR).finished] == [early, late]


def test_jobs_that_no_node_can_take_are_told_with_their_number_and_the_reason(farm: Farm) -> None:
    node = register(farm)
    submit(farm)
    for _ in range(3):
        submit(farm, constraints={"labels": {"site": "a"}})
    (stuck,) = glance.get(farm, OPERATOR).stuck
    assert stuck.jobs == 3
    assert "label site=a" in (stuck.first.pending_reason or "")
    nodes.change(farm, OPERATOR, node, commands.Drain())
    assert [each.jobs for each in glance.get(farm, OPERATOR).stuck] == [1, 3]


def test_a_submitter_sees_its_own_jobs_and_no_nodes(farm: Farm) -> None:
    register(farm)
    submit(farm)
    seen = glance.get(farm, Caller(Role.SUBMITTER, name="amy"))
    assert sum(seen.counts.values()) == 0
    assert (seen.depths, list(seen.nodes), list(seen.stuck)) == ({}, [], [])
    assert glance.counts(farm, OPERATOR, parts=False)[JobStatus.PENDING] == 1
