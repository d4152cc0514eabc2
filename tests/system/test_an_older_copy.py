"""An older copy of the state is put under running agents: no attempt is numbered twice, and all goes on."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from tests.masters import wait_until
from tests.system.farm import SHORT, TINY, Agent, Farm, halfway, job, job_is, outcomes, submit


def _is_gone(agent: Agent, pid: int) -> bool:
    return pid not in agent.ffmpegs()


def test_attempts_that_the_copy_does_not_know_of_are_not_given_again(farm: Farm, tmp_path: Path) -> None:
    master = farm.master()
    agent = farm.agent(master)
    with master.client() as client:
        job_is(client, submit(client, TINY), "completed")
        client.post("/queue/pause")
        job_id = submit(client, SHORT)
        shutil.copytree(master.state_dir / "journal", tmp_path / "copy")
        client.post("/queue/resume")
        numbers = set()
        for _ in range(2):  # the copy comes back twice
            with halfway(agent, job_id) as old:
                (attempt,) = job(client, job_id)["attempts"]
                numbers.add(attempt["number"])
                master.kill()
                shutil.rmtree(master.state_dir / "journal")
                shutil.copytree(tmp_path / "copy", master.state_dir / "journal")
                master = farm.master()
                wait_until(partial(_is_gone, agent, old), "the lost attempt is ended")
            with master.client() as again:
                again.post("/queue/resume")
            wait_until(agent.ffmpegs, "a new attempt has begun")
        done = job_is(client, job_id, "completed")
    assert outcomes(done) == ["completed"]
    assert done["retry_count"] == 0
    numbers.add(done["attempts"][0]["number"])
    assert len(numbers) == 3


def test_an_agent_that_was_started_anew_since_the_copy_goes_on(farm: Farm, tmp_path: Path) -> None:
    """The copy knows another process of it, and must not take it for a stranger."""
    master = farm.master()
    first = farm.agent(master)
    with master.client() as client:
        job_is(client, submit(client, TINY), "completed")
        shutil.copytree(master.state_dir / "journal", tmp_path / "copy")
    first.kill()
    second = farm.agent(master)
    assert second.node_id == first.node_id
    master.kill()
    shutil.rmtree(master.state_dir / "journal")
    shutil.copytree(tmp_path / "copy", master.state_dir / "journal")
    master = farm.master()
    with master.client() as client:
        assert job_is(client, submit(client, TINY), "completed")["node_id"] == second.node_id
    assert second.process.poll() is None
