"""An agent told to stop finishes its job, or hands it back unharmed, and leaves in good order."""

from __future__ import annotations

import signal

from tests.masters import wait_until
from tests.system.farm import (
    ENDLESS,
    SHORT,
    Farm,
    encoding,
    halfway,
    job,
    job_is,
    node,
    node_is,
    outcomes,
    submit,
)


def test_an_idle_agent_leaves_at_once(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master)
    node_id = agent.node_id
    agent.signal(signal.SIGTERM)
    assert agent.ends(5) == 0
    with master.client() as client:
        assert node(client, node_id)["status"] == "offline"


def test_a_running_job_is_finished_first_and_nothing_new_begun(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master, "--max-concurrent-jobs=2")
    with master.client() as client:
        job_id = submit(client, SHORT)
        with halfway(agent, job_id):
            agent.signal(signal.SIGTERM)
            node_is(client, agent.node_id, "draining")
            late = submit(client, SHORT)
        assert agent.ends(40) == 0
        assert outcomes(job(client, job_id)) == ["completed"]
        assert node(client, agent.node_id)["status"] == "offline"
        assert job(client, late)["attempts"] == []


def test_a_job_that_takes_too_long_is_handed_back_unharmed(farm: Farm) -> None:
    master = farm.master(max_attempts=1)
    agent = farm.agent(master, "--drain-timeout=1s")
    with master.client() as client:
        job_id = submit(client, ENDLESS)
        encoding(agent, job_id)
        agent.signal(signal.SIGTERM)
        assert agent.ends(15) == 0
        wait_until(lambda: not agent.ffmpegs(), "its ffmpeg is gone", 5)
        handed_back = job_is(client, job_id, "pending")
        assert outcomes(handed_back) == ["handed_back"]
        assert node(client, agent.node_id)["status"] == "offline"
        # Its only attempt is not used up: another node can have it.
        other = farm.agent(master, name="other")
        assert job_is(client, job_id, "running")["node_id"] == other.node_id


def test_a_second_signal_does_not_wait(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master, "--drain-timeout=1h")
    with master.client() as client:
        job_id = submit(client, ENDLESS)
        encoding(agent, job_id)
        agent.signal(signal.SIGTERM)
        node_is(client, agent.node_id, "draining")
        agent.signal(signal.SIGTERM)
        assert agent.ends(15) == 0
        wait_until(lambda: not agent.ffmpegs(), "its ffmpeg is gone", 5)
        assert outcomes(job(client, job_id)) == ["handed_back"]


def test_a_second_signal_gives_up_a_result_that_nobody_takes(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master, "--drain-timeout=1h")
    with master.client() as client:
        job_id = submit(client, SHORT)
    with halfway(agent, job_id):
        assert master.stop() == 0
    agent.says("Cannot send results")
    agent.signal(signal.SIGTERM)
    agent.says("Stopping: 1 job(s) are running")
    agent.signal(signal.SIGTERM)
    assert agent.ends(15) == 0
