"""Work that was finished is reported by the next agent, if its own could not report it any more."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from tests.masters import Master, wait_until
from tests.system.farm import SHORT, Agent, Farm, file_of, halfway, job_is, outcomes, submit

TERMS: dict[str, Any] = {"lease": "1h", "heartbeat_timeout": "1h"}


def finish_without_master(farm: Farm, auth: str = "auto") -> tuple[Master, Agent, str]:
    """A job that was finished while its master was away; the agent still tries to say so."""
    master = farm.master(auth=auth, **TERMS)
    agent = farm.agent(master)
    with master.client(master.token) as client:
        assert client.post(f"/nodes/{agent.node_id}/approve").ok
        job_id = submit(client, SHORT)
    with halfway(agent, job_id):
        master.kill()
    agent.says("Cannot send results")
    return master, agent, job_id


def end(agent: Agent, how: str) -> None:
    if how == "kill -9":
        agent.kill()
        return
    for _ in range(2):
        agent.signal(signal.SIGTERM)
        agent.says("Stopping: 1 job(s) are running")
    assert agent.ends() == 0
    agent.says("could not be sent before the agent ended; its next start sends it")


@pytest.mark.parametrize("auth", ["auto", "required"])
@pytest.mark.parametrize("how", ["kill -9", "SIGTERM"])
def test_the_next_agent_reports_it_and_the_one_attempt_counts(farm: Farm, how: str, auth: str) -> None:
    _, first, job_id = finish_without_master(farm, auth)
    end(first, how)
    master = farm.master(auth=auth, **TERMS)
    second = farm.agent(master, how=())
    with master.client(master.token) as client:
        assert outcomes(job_is(client, job_id, "completed")) == ["completed"]
    second.says(f"Results sent for job {job_id} (status: completed)")
    assert second.node_id == first.node_id
    assert file_of(second, job_id).stat().st_size > 0
    wait_until(lambda: not list(second.state_dir.glob("*/outbox/*")), "the outbox is empty")


def test_the_next_agent_waits_for_the_master_with_it_unless_it_is_told_to_stop(farm: Farm) -> None:
    master, first, job_id = finish_without_master(farm)
    first.kill()
    second = farm.agent(master, how=())
    second.says("Cannot send results: the master cannot be reached; trying again")
    second.signal(signal.SIGTERM)
    assert second.ends() == 0
    (file,) = second.state_dir.glob("*/outbox/*.json")
    assert json.loads(file.read_text())["report"]["job_id"] == job_id

    third = farm.agent(master, how=())
    third.says("Cannot send results: the master cannot be reached; trying again")
    master = farm.master(**TERMS)
    with master.client() as client:
        assert outcomes(job_is(client, job_id, "completed")) == ["completed"]
    assert third.node_id == first.node_id


def test_what_is_not_wanted_any_more_is_dropped_and_the_agent_works(farm: Farm) -> None:
    _, first, job_id = finish_without_master(farm)
    first.kill()
    master = farm.master(**TERMS)
    with master.client() as client:
        assert client.post(f"/jobs/{job_id}/cancel").json()["status"] == "canceled"
        second = farm.agent(master, how=())
        second.says(f"The result of job {job_id} is not wanted")
        assert job_is(client, job_id, "canceled")["attempts"][0]["outcome"] == "canceled"
        job_is(client, submit(client, SHORT), "completed")
    wait_until(lambda: not list(second.state_dir.glob("*/outbox/*")), "the outbox is empty")
