"""A job that is measured runs alone on its node, and other jobs do not keep it waiting for ever."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import Any

import pytest

from common.model import JobStatus, NodeStatus
from common.version import PROTOCOL
from master.lifecycle import commands
from master.service import Farm, JobView, jobs, nodes
from tests.core.support import (
    OPERATOR,
    claim,
    finish,
    job,
    must_claim,
    register,
    submit,
)

AGENT = replace(OPERATOR, protocol=PROTOCOL)


def node(farm: Farm, slots: int = 2, **fields: Any) -> str:
    return register(farm, caller=AGENT, max_concurrent_jobs=slots, **fields)


@pytest.mark.parametrize("fields", [{"confidence": "low"}, {"parameters": {"energy": True}}])
def test_nothing_joins_a_job_that_is_measured(farm: Farm, fields: dict[str, Any]) -> None:
    measured = submit(farm, **fields)
    submit(farm)
    node_id = node(farm, slots=4)
    view = must_claim(farm, node_id)
    assert view.job.id == measured
    assert claim(farm, node_id) is None
    assert nodes.get(farm, node_id).status is NodeStatus.BUSY
    assert nodes.get(farm, node_id).running == 1
    finish(farm, view)
    assert claim(farm, node_id) is not None


def test_a_job_that_is_measured_begins_on_an_idle_node_only(farm: Farm) -> None:
    first = submit(farm)
    node_id = node(farm)
    view = must_claim(farm, node_id)
    assert view.job.id == first
    measured = submit(farm, confidence="high", priority="high")
    assert claim(farm, node_id) is None
    assert job(farm, measured).pending_reason == "waits for an idle node: it runs alone on its node"
    finish(farm, view)
    assert must_claim(farm, node_id).job.id == measured


def test_one_job_without_energy_runs_beside_others(farm: Farm) -> None:
    submit(farm, parameters={"energy": False})
    submit(farm)
    node_id = node(farm)
    assert claim(farm, node_id) is not None
    assert claim(farm, node_id) is not None


def test_what_comes_before_it_is_still_taken(farm: Farm) -> None:
    submit(farm)
    node_id = node(farm, slots=3)
    must_claim(farm, node_id)
    submit(farm, confidence="high")
    urgent = submit(farm, priority="high")
    assert must_claim(farm, node_id).job.id == urgent
    submit(farm, priority="low")
    assert claim(farm, node_id) is None  # it makes room


def test_of_several_nodes_only_the_one_with_the_fewest_jobs_makes_room(farm: Farm) -> None:
    busier, quieter = node(farm, slots=4), node(farm, slots=4)
    for node_id in (busier, busier, quieter):
        submit(farm)
        must_claim(farm, node_id)
    submit(farm, confidence="high", priority="high")
    other = submit(farm)
    assert claim(farm, quieter) is None
    assert must_claim(farm, busier).job.id == other


def test_a_node_that_could_not_run_it_makes_no_room_for_it(farm: Farm) -> None:
    other = node(farm, labels={"site": "a"})
    submit(farm)
    must_claim(farm, other)
    submit(farm, confidence="high", priority="high", constraints={"labels": {"site": "b"}})
    submit(farm)
    assert claim(farm, other) is not None


def test_a_node_that_is_away_makes_no_room_in_place_of_others(farm: Farm) -> None:
    draining, busy = node(farm), node(farm, slots=3)
    nodes.change(farm, OPERATOR, draining, commands.Drain())
    submit(farm)
    must_claim(farm, busy)
    submit(farm, confidence="high", priority="high")
    submit(farm)
    assert claim(farm, busy) is None


def test_when_the_job_waits_no_longer_the_others_go_on(farm: Farm) -> None:
    node_id = node(farm)
    submit(farm)
    must_claim(farm, node_id)
    measured = submit(farm, confidence="high", priority="high")
    submit(farm)
    assert claim(farm, node_id) is None
    jobs.change(farm, OPERATOR, measured, commands.Cancel())
    assert claim(farm, node_id) is not None


@pytest.mark.parametrize("seed", range(5))
def test_a_steady_stream_of_others_does_not_starve_it(farm: Farm, seed: int) -> None:
    """Three nodes with three slots, always asking; other jobs come without end, and end at random."""
    dice = random.Random(seed)
    node_ids = [node(farm, slots=3) for _ in range(3)]
    running: list[JobView] = []
    for node_id in node_ids * 3:
        submit(farm)
        running.append(must_claim(farm, node_id))
    measured = submit(farm, confidence="high")
    for turn in itertools.count():
        submit(farm)
        finish(farm, running.pop(dice.randrange(len(running))))
        for node_id in dice.sample(node_ids, 3):
            while (view := claim(farm, node_id)) is not None:
                running.append(view)
        if job(farm, measured).job.status is JobStatus.RUNNING:
            break
        assert turn < 100, "it starves"
        assert len(running) >= 6, "more than one node makes room"


def test_a_plain_agent_that_cannot_repeat_gets_no_job_that_asks_for_it(farm: Farm) -> None:
    register(farm)
    measured = submit(farm, confidence="high")
    assert job(farm, measured).pending_reason == "no node offers an agent of protocol 4"
