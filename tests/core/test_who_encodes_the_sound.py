"""The sound of a file in chunks is left to the node that planned it and has the input, if it can come."""

from __future__ import annotations

import pytest

from common.model import Stage
from master.lifecycle import commands
from master.service import nodes, work
from master.service.farm import Farm
from tests.core.support import (
    OPERATOR,
    FakeClock,
    divisible,
    must_claim,
    submit,
)
from tests.core.test_splits import FILE, node, plan

CHUNKS = 4


def stage_for(farm: Farm, node_id: str) -> Stage:
    return must_claim(farm, node_id).job.stage


@pytest.fixture
def planner(farm: Farm) -> str:
    """A node that has just planned a file, which is in the file store now, for the others."""
    found = node(farm)
    submit(farm, input="media:films/a.mp4", parameters={"split": CHUNKS, "crf": 23})
    plan(farm, found, divisible(input=FILE))
    return found


def test_whoever_asks_first_gets_a_chunk_and_the_planner_the_sound(farm: Farm, planner: str) -> None:
    assert stage_for(farm, node(farm)) is Stage.CHUNK
    assert stage_for(farm, planner) is Stage.SOUND


def test_another_gets_it_once_no_chunk_waits(farm: Farm, planner: str) -> None:
    other = node(farm)
    assert [stage_for(farm, other) for _ in range(CHUNKS + 1)] == [*[Stage.CHUNK] * CHUNKS, Stage.SOUND]


def test_another_gets_it_at_once_where_the_planner_takes_nothing(farm: Farm, planner: str) -> None:
    other = node(farm)
    nodes.change(farm, OPERATOR, planner, commands.Drain())
    assert stage_for(farm, other) is Stage.SOUND


def test_another_gets_it_at_once_where_the_planner_is_gone(
    farm: Farm, clock: FakeClock, planner: str
) -> None:
    clock.advance(farm.config.heartbeat_timeout + 1)
    work.reap(farm)
    assert stage_for(farm, node(farm)) is Stage.SOUND


def test_another_gets_it_at_once_where_all_see_the_input_in_place(farm: Farm) -> None:
    first = node(farm)
    submit(farm, input="media:films/a.mp4", parameters={"split": CHUNKS, "crf": 23})
    plan(farm, first)
    assert stage_for(farm, node(farm)) is Stage.SOUND
