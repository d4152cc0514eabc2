"""A node's credential ends in time, unless its agent replaces it or somebody vouches for the node."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from common.model import JobStatus, Node, NodeStatus, Role
from common.problems import Problem
from common.tokens import hash_secret
from common.version import PROTOCOL
from master.lifecycle import commands
from master.lifecycle.credentials import check
from master.service import Caller, Farm, nodes, work
from tests.core.support import OPERATOR, FakeClock, job, make_farm, must_claim, register, submit

DAY = 86400.0
OLD, NEW, NEWEST = "o" * 43, "n" * 43, "m" * 43
ROTATING = replace(OPERATOR, protocol=PROTOCOL)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def farm(tmp_path: Path, clock: FakeClock) -> Farm:
    return make_farm(tmp_path, clock, credential_ttl=90 * DAY)


@pytest.fixture
def node_id(farm: Farm) -> str:
    return register(farm, caller=ROTATING, credential=OLD, id="worker")


def node(farm: Farm) -> Node:
    return nodes.get(farm, "worker").node


def valid(farm: Farm, credential: str) -> bool:
    """Whether the master would take a call with this credential."""
    digest = hash_secret(credential)
    found = farm.store.node_with_credential(digest)
    if found is None:
        return False
    try:
        check(found, digest, farm.clock())
    except Problem:
        return False
    return True


def agent(credential: str) -> Caller:
    return Caller(Role.NODE, "worker", hash_secret(credential))


def replace_it(farm: Farm, shown: str, new: str) -> None:
    nodes.replace_credential(farm, agent(shown), "worker", new)


def again(farm: Farm, credential: str) -> None:
    """The agent registers again, as nobody in particular."""
    register(farm, caller=Caller(Role.ANYONE, protocol=PROTOCOL), credential=credential, id="worker")


def test_it_is_valid_for_its_term_and_no_longer(farm: Farm, clock: FakeClock, node_id: str) -> None:
    clock.advance(90 * DAY - 1)
    assert valid(farm, OLD)
    clock.advance(1)
    assert not valid(farm, OLD)


@pytest.mark.parametrize("protocol", [None, 1, 2])
def test_that_of_an_agent_that_cannot_replace_it_never_ends(
    farm: Farm, clock: FakeClock, protocol: int | None
) -> None:
    register(farm, caller=replace(OPERATOR, protocol=protocol), credential=OLD, id="worker")
    clock.advance(10_000 * DAY)
    assert valid(farm, OLD)
    replace_it(farm, OLD, NEW)
    assert node(farm).credential_expires_at is not None


def test_registering_again_extends_nothing(farm: Farm, clock: FakeClock, node_id: str) -> None:
    before = node(farm).credential_expires_at
    clock.advance(DAY)
    again(farm, OLD)
    assert node(farm).credential_expires_at == before


def test_the_new_one_counts_and_the_old_one_until_the_new_one_is_used(farm: Farm, node_id: str) -> None:
    replace_it(farm, OLD, NEW)
    assert valid(farm, OLD)
    assert valid(farm, NEW)
    nodes.heartbeat(farm, agent(OLD), node_id, None)
    assert valid(farm, OLD)
    nodes.heartbeat(farm, agent(NEW), node_id, None)
    assert not valid(farm, OLD)
    assert valid(farm, NEW)


def test_registering_with_the_new_one_is_a_use_and_with_the_old_one_is_none(farm: Farm, node_id: str) -> None:
    replace_it(farm, OLD, NEW)
    again(farm, OLD)
    assert valid(farm, OLD)
    assert valid(farm, NEW)
    again(farm, NEW)
    assert not valid(farm, OLD)


def test_the_old_one_is_valid_for_a_day_at_most(farm: Farm, clock: FakeClock, node_id: str) -> None:
    replace_it(farm, OLD, NEW)
    clock.advance(DAY - 1)
    assert valid(farm, OLD)
    clock.advance(1)
    assert not valid(farm, OLD)
    assert valid(farm, NEW)


def test_the_old_one_does_not_outlive_its_own_term(farm: Farm, clock: FakeClock, node_id: str) -> None:
    clock.advance(90 * DAY - 60)
    replace_it(farm, OLD, NEW)
    clock.advance(60)
    assert not valid(farm, OLD)


def test_the_same_again_changes_nothing_more(farm: Farm, clock: FakeClock, node_id: str) -> None:
    replace_it(farm, OLD, NEW)
    before = node(farm)
    clock.advance(60)
    replace_it(farm, OLD, NEW)
    replace_it(farm, NEW, NEW)
    assert node(farm) == before


def test_an_agent_that_lost_its_new_one_makes_another_with_the_old_one(farm: Farm, node_id: str) -> None:
    replace_it(farm, OLD, NEW)
    replace_it(farm, OLD, NEWEST)
    assert valid(farm, OLD)
    assert valid(farm, NEWEST)
    assert not valid(farm, NEW)


def test_the_old_one_is_no_new_one(farm: Farm, node_id: str) -> None:
    replace_it(farm, OLD, NEW)
    with pytest.raises(Problem, match="Must be a new one"):
        replace_it(farm, OLD, OLD)


def test_an_expired_node_comes_back_by_an_operator_only(farm: Farm, clock: FakeClock, node_id: str) -> None:
    clock.advance(91 * DAY)
    with pytest.raises(Problem, match=r"has expired.*ffrtmp nodes approve worker"):
        again(farm, OLD)
    nodes.change(farm, OPERATOR, node_id, commands.Approve())
    assert valid(farm, OLD)
    again(farm, OLD)


def test_a_revoked_node_is_turned_away_and_its_jobs_go_back(farm: Farm, node_id: str) -> None:
    replace_it(farm, OLD, NEW)
    job_id = submit(farm)
    must_claim(farm, node_id)
    nodes.change(farm, OPERATOR, node_id, commands.Revoke())
    assert not valid(farm, OLD)
    assert not valid(farm, NEW)
    assert nodes.get(farm, node_id).status is NodeStatus.REVOKED
    after = job(farm, job_id).job
    assert (after.status, after.error and after.error.code) == (JobStatus.PENDING, "node_revoked")


def test_nothing_brings_a_revoked_node_back(farm: Farm, clock: FakeClock, node_id: str) -> None:
    nodes.change(farm, OPERATOR, node_id, commands.Revoke())
    with pytest.raises(Problem, match="revoked the credential"):
        again(farm, OLD)
    with pytest.raises(Problem, match="was revoked, and stays so"):
        register(farm, id=node_id)
    with pytest.raises(Problem, match="was revoked, and stays so"):
        nodes.change(farm, OPERATOR, node_id, commands.Approve())
    with pytest.raises(Problem, match="was revoked, and stays so"):
        nodes.heartbeat(farm, OPERATOR, node_id, None)
    clock.advance(1000 * DAY)
    work.reap(farm)
    assert nodes.get(farm, node_id).status is NodeStatus.REVOKED


def test_a_revoked_node_that_nobody_approved_is_not_forgotten_when_it_falls_silent(
    farm: Farm, clock: FakeClock
) -> None:
    again(farm, OLD)
    nodes.change(farm, OPERATOR, "worker", commands.Revoke())
    clock.advance(DAY)
    work.reap(farm)
    assert nodes.get(farm, "worker").status is NodeStatus.REVOKED


def test_once_it_is_removed_its_secret_is_as_good_as_any_strangers(farm: Farm, node_id: str) -> None:
    nodes.change(farm, OPERATOR, node_id, commands.Revoke())
    nodes.remove(farm, OPERATOR, node_id)
    again(farm, OLD)
    assert nodes.get(farm, node_id).status is NodeStatus.UNAPPROVED


def test_all_of_it_survives_a_restart(farm: Farm, tmp_path: Path, clock: FakeClock, node_id: str) -> None:
    replace_it(farm, OLD, NEW)
    before = node(farm)
    farm.store.close()
    restarted = make_farm(tmp_path, clock)
    assert node(restarted) == before
    assert valid(restarted, OLD)
    assert valid(restarted, NEW)
