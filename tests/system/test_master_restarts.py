"""A master that is restarted while an agent encodes: the encode goes on and its result counts."""

from __future__ import annotations

import shutil

import pytest

from tests.masters import Master
from tests.system.farm import SHORT, TINY, Farm, halfway, job_is, outcomes, submit


def end(master: Master, how: str) -> None:
    if how == "kill -9":
        master.kill()
    else:
        assert master.stop() == 0


@pytest.mark.parametrize("how", ["SIGTERM", "kill -9"])
def test_an_encode_goes_on_while_the_master_restarts(farm: Farm, how: str) -> None:
    master = farm.master()
    agent = farm.agent(master)
    with master.client() as client:
        job_id = submit(client, SHORT)
    with halfway(agent, job_id) as ffmpeg:
        end(master, how)
        master = farm.master()
        assert agent.ffmpegs() == [ffmpeg]
    with master.client() as client:
        done = job_is(client, job_id, "completed")
        assert outcomes(done) == ["completed"]
        assert done["retry_count"] == 0


@pytest.mark.parametrize("how", ["SIGTERM", "kill -9"])
def test_a_result_made_while_the_master_is_away_is_delivered(farm: Farm, how: str) -> None:
    master = farm.master()
    agent = farm.agent(master)
    with master.client() as client:
        job_id = submit(client, SHORT)
    with halfway(agent, job_id):
        end(master, how)
    agent.says(f"Job {job_id} completed successfully", 40)
    agent.says("Cannot send results: the master cannot be reached; trying again")
    master = farm.master()
    with master.client() as client:
        assert outcomes(job_is(client, job_id, "completed")) == ["completed"]
    agent.says(f"Results sent for job {job_id} (status: completed)")


def test_an_agent_registers_again_with_a_master_that_lost_its_state(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master)
    node_id = agent.node_id
    assert master.stop() == 0
    for kept in master.state_dir.iterdir():
        if kept.name == "journal":
            shutil.rmtree(kept)
    master = farm.master()
    with master.client() as client:
        job_id = submit(client, TINY)
        done = job_is(client, job_id, "completed")
        assert done["node_id"] == node_id
    agent.says("The master does not know this node any more; registering again")


def test_an_agent_registers_again_when_its_node_was_deleted(farm: Farm) -> None:
    master = farm.master()
    # It would ask again after an hour only: the deletion itself tells it.
    agent = farm.agent(master, "--poll-interval=1h")
    with master.client() as client:
        job_is(client, submit(client, TINY), "completed")
        assert client.delete(f"/nodes/{agent.node_id}").status_code == 204
        agent.says("The master does not know this node any more; registering again")
        assert job_is(client, submit(client, TINY), "completed")["node_id"] == agent.node_id


def test_a_job_of_a_deleted_node_is_tried_again(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master)
    with master.client() as client:
        job_id = submit(client, SHORT)
        with halfway(agent, job_id):
            assert client.delete(f"/nodes/{agent.node_id}").status_code == 204
        done = job_is(client, job_id, "completed")
        assert outcomes(done) == ["lost", "completed"]
        assert done["attempts"][0]["error"]["code"] == "node_removed"
