"""Two agents with one identity never work at once: the second is refused, or the first is replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from common.history import History
from common.model import NodeStatus, Progress
from common.problems import Problem
from master.service import Farm, nodes, queue, work
from tests.core.support import OPERATOR, FakeClock, make_farm, must_claim, next_job, register, report, submit

ONE = replace(OPERATOR, instance="one", protocol=2)
TWO = replace(OPERATOR, instance="two", protocol=2)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def farm(tmp_path: Path, clock: FakeClock) -> Farm:
    return make_farm(tmp_path, clock, heartbeat_timeout=90)


@pytest.fixture
def node_id(farm: Farm) -> str:
    return register(farm, caller=ONE, instance="one")


def test_a_second_one_is_refused_while_the_first_is_heard_from(
    farm: Farm, clock: FakeClock, node_id: str
) -> None:
    submit(farm)
    must_claim(farm, node_id)
    clock.advance(89)
    with pytest.raises(Problem, match=r"Another agent works as node .* heard 1m29s ago") as refused:
        register(farm, caller=TWO, id=node_id, instance="two")
    assert refused.value.type.slug == "identity_in_use"
    assert nodes.get(farm, node_id).status is NodeStatus.BUSY  # and nothing has changed


def test_it_is_taken_when_it_knows_that_the_first_has_ended(farm: Farm, node_id: str) -> None:
    register(farm, caller=replace(TWO, replaces="one"), id=node_id, instance="two")
    assert nodes.get(farm, node_id).node.instance == "two"


def test_it_is_taken_when_the_first_left_or_fell_silent(farm: Farm, clock: FakeClock, node_id: str) -> None:
    nodes.leave(farm, ONE, node_id, "one")
    register(farm, caller=TWO, id=node_id, instance="two")
    clock.advance(91)
    register(farm, caller=replace(TWO, instance="three"), id=node_id, instance="three")
    assert nodes.get(farm, node_id).node.instance == "three"


def test_the_same_process_may_register_again(farm: Farm, node_id: str) -> None:
    assert register(farm, caller=ONE, id=node_id, instance="one") == node_id


def test_one_that_cannot_tell_is_taken_for_a_restart(farm: Farm, node_id: str) -> None:
    register(farm, id=node_id, instance="two")  # an agent of protocol 1, or a person
    assert nodes.get(farm, node_id).node.instance == "two"


def test_the_one_that_was_replaced_gets_nothing_and_says_nothing_any_more(farm: Farm, node_id: str) -> None:
    submit(farm)
    view = must_claim(farm, node_id)
    assert view.job.lease is not None
    lease_id = view.job.lease.lease_id
    register(farm, caller=replace(TWO, replaces="one"), id=node_id, instance="two")
    calls: list[Callable[[], object]] = [
        lambda: next_job(farm, ONE, node_id, [], 0),
        lambda: nodes.heartbeat(farm, ONE, node_id, [lease_id]),
        lambda: work.progress(farm, ONE, view.job.id, node_id, lease_id, Progress(), []),
        lambda: work.finish(farm, ONE, report(view), []),
    ]
    for call in calls:
        with pytest.raises(Problem) as refused:
            call()
        assert refused.value.type.slug == "identity_in_use"


def test_a_process_that_the_lost_history_may_have_known_is_asked_to_register_again(
    farm: Farm, node_id: str
) -> None:
    queue.compare_histories(farm, replace(TWO, heard=History(1000, "lost")))
    with pytest.raises(Problem, match="makes it known again") as refused:
        nodes.heartbeat(farm, TWO, node_id, None)
    assert refused.value.type.slug == "unknown_node"
    register(farm, caller=TWO, id=node_id, instance="two")
    nodes.heartbeat(farm, TWO, node_id, None)
    with pytest.raises(Problem, match="took over"):
        nodes.heartbeat(farm, ONE, node_id, None)
