"""Who may register as what, and that registering can be repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from common.model import NodeStatus, Role
from common.problems import Problem
from master.lifecycle import commands
from master.service import Caller, Farm, nodes, work
from master.service.nodes import MAX_UNAPPROVED
from tests.core.support import OPERATOR, FakeClock, claim, job, make_farm, register, submit

STRANGER = Caller(Role.ANYONE)
SECRET = "s" * 43


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def farm(tmp_path: Path, clock: FakeClock) -> Farm:
    return make_farm(tmp_path, clock, heartbeat_timeout=90)


def register_stranger(farm: Farm, **fields: Any) -> str:
    return register(farm, caller=STRANGER, **{"credential": SECRET, **fields})


def test_a_stranger_is_unapproved_and_gets_no_job_until_an_operator_approves_it(farm: Farm) -> None:
    submit(farm)
    node_id = register_stranger(farm)
    assert nodes.get(farm, node_id).status is NodeStatus.UNAPPROVED
    assert claim(farm, node_id) is None
    nodes.change(farm, OPERATOR, node_id, commands.Approve())
    assert claim(farm, node_id) is not None


def test_approval_outlasts_a_restart_of_the_agent(farm: Farm) -> None:
    node_id = register_stranger(farm, instance="one")
    nodes.change(farm, OPERATOR, node_id, commands.Approve())
    register_stranger(farm, id=node_id, instance="two")
    assert nodes.get(farm, node_id).status is NodeStatus.AVAILABLE


def test_registering_again_with_the_same_secret_is_the_same_node(farm: Farm) -> None:
    node_id = register_stranger(farm, id="my-own-id")
    assert register_stranger(farm, id="my-own-id") == node_id
    assert len(nodes.all_nodes(farm)) == 1


@pytest.mark.parametrize("credential", ["t" * 43, "S" * 43])
def test_nobody_takes_over_a_node_without_its_secret(farm: Farm, credential: str) -> None:
    node_id = register_stranger(farm, address="first")
    with pytest.raises(Problem, match="another credential"):
        register_stranger(farm, id=node_id, credential=credential, address="thief")
    assert nodes.get(farm, node_id).node.address == "first"


def test_nobody_takes_over_a_node_that_has_no_secret(farm: Farm) -> None:
    node_id = register(farm, "registered by hand")
    with pytest.raises(Problem, match="another credential"):
        register_stranger(farm, id=node_id)


def test_a_stranger_without_a_secret_is_refused(farm: Farm) -> None:
    with pytest.raises(Problem, match="`credential` of its own making"):
        register(farm, caller=STRANGER)
    assert nodes.all_nodes(farm) == []


def test_strangers_are_limited_and_forgotten_when_they_fall_silent(farm: Farm, clock: FakeClock) -> None:
    for number in range(MAX_UNAPPROVED):
        register_stranger(farm, credential=f"{number:043}")
    with pytest.raises(Problem, match="wait for approval already"):
        register_stranger(farm)
    register(farm, "an operator's")
    clock.advance(91)
    work.reap(farm)
    assert [view.node.address for view in nodes.all_nodes(farm)] == ["an operator's"]
    register_stranger(farm)


def test_a_stranger_that_leaves_makes_room_for_another(farm: Farm) -> None:
    node_id = register_stranger(farm, instance="one")
    nodes.leave(farm, Caller(Role.NODE, node_id), node_id, "one")
    assert nodes.all_nodes(farm) == []


def test_a_node_may_have_the_id_of_a_job(farm: Farm, tmp_path: Path, clock: FakeClock) -> None:
    job_id = submit(farm)
    register(farm, id=job_id)
    assert job(farm, job_id).job.id == nodes.get(farm, job_id).node.id
    farm.store.close()
    restarted = make_farm(tmp_path, clock)
    assert job(restarted, job_id).job.id == nodes.get(restarted, job_id).node.id


def test_an_operator_who_registers_an_agents_node_by_hand_does_not_lock_the_agent_out(farm: Farm) -> None:
    node_id = register_stranger(farm, id="w")
    register(farm, id="w")
    assert register_stranger(farm, id="w") == node_id
    assert nodes.get(farm, node_id).status is NodeStatus.AVAILABLE
