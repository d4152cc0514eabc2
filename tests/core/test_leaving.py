"""An agent that ends in good order costs its jobs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.model import JobStatus, NodeStatus, Outcome
from master.service import Farm, nodes
from tests.core.support import (
    OPERATOR,
    FakeClock,
    claim,
    job,
    make_farm,
    must_claim,
    next_job,
    register,
    submit,
)


@pytest.fixture
def farm(tmp_path: Path) -> Farm:
    return make_farm(tmp_path, FakeClock(), max_attempts=1)


def test_a_stopping_node_gets_nothing_new_until_it_registers_again(farm: Farm) -> None:
    submit(farm)
    node_id = register(farm, instance="one")
    view, _ = nodes.heartbeat(farm, OPERATOR, node_id, [], stopping=True)
    assert view.status is NodeStatus.DRAINING
    assert claim(farm, node_id) is None
    register(farm, id=node_id, instance="two")
    assert claim(farm, node_id) is not None


def test_what_a_leaving_node_still_holds_is_handed_back_with_no_attempt_used_up(farm: Farm) -> None:
    job_id = submit(farm)
    node_id = register(farm, instance="one")
    must_claim(farm, node_id)
    nodes.leave(farm, OPERATOR, node_id, "one")
    assert nodes.get(farm, node_id).status is NodeStatus.OFFLINE
    back = job(farm, job_id).job
    assert back.status is JobStatus.PENDING
    assert [attempt.outcome for attempt in back.attempts] == [Outcome.HANDED_BACK]


def test_a_late_goodbye_does_not_concern_the_agent_that_came_after(farm: Farm) -> None:
    job_id = submit(farm)
    node_id = register(farm, instance="one")
    register(farm, id=node_id, instance="two")
    must_claim(farm, node_id)
    nodes.leave(farm, OPERATOR, node_id, "one")
    assert nodes.get(farm, node_id).status is NodeStatus.BUSY
    assert job(farm, job_id).job.status is JobStatus.RUNNING


def test_a_stopping_node_is_told_of_a_claim_that_was_answered_into_the_void(farm: Farm) -> None:
    submit(farm)
    node_id = register(farm, instance="one")
    lost = must_claim(farm, node_id)
    nodes.heartbeat(farm, OPERATOR, node_id, [], stopping=True)
    again = next_job(farm, OPERATOR, node_id, [], 30)
    assert again is not None
    assert again.job == lost.job
