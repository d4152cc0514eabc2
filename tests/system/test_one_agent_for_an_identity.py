"""No two agents work under one identity: a copy is refused, a successor is not."""

from __future__ import annotations

import json
import shutil
from typing import Any

from common.version import PROTOCOL
from tests.masters import wait_until
from tests.system.farm import (
    ENDLESS,
    SHORT,
    TINY,
    Agent,
    Farm,
    encoding,
    halfway,
    job,
    job_is,
    outcomes,
    submit,
)

PATIENT: dict[str, Any] = {"lease": "1h", "heartbeat_timeout": "1h"}


def kept_by(agent: Agent, name: str) -> dict[str, Any]:
    (file,) = agent.state_dir.glob(f"*/{name}.json")
    return dict(json.loads(file.read_text()))


def test_a_copy_of_an_agent_at_work_is_refused_and_the_work_goes_on(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master)
    with master.client() as client:
        job_id = submit(client, SHORT)
        with halfway(agent, job_id):
            shutil.copytree(agent.state_dir, agent.state_dir.with_name("copy"))
            copy = farm.agent(master, f"--work-dir={agent.work_dir}", name="copy", how=())
            assert copy.ends() == 1
            assert f"agent: the master refuses this agent: Another agent works as node {agent.node_id}" in (
                copy.log
            )
        assert outcomes(job_is(client, job_id, "completed")) == ["completed"]


def test_an_agent_whose_place_was_taken_ends_its_work_and_itself(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master, "--heartbeat-interval=500ms")
    with master.client() as client:
        job_id = submit(client, ENDLESS)
        encoding(agent, job_id)
        kept, run = (kept_by(agent, name) for name in ("identity", "instance"))
        # The other one says that it saw this one end.
        fields = {"id": kept["node_id"], "credential": kept["credential"]}
        fields |= {"address": "other", "instance": "other"}
        headers = {"Ffrtmp-Protocol": str(PROTOCOL), "Ffrtmp-Replaces": run["id"]}
        answer = client.post("/nodes/register", json=fields, headers=headers)
        assert answer.status_code == 201, answer.text
        assert agent.ends() == 1
        wait_until(lambda: not agent.ffmpegs(), "its ffmpeg is gone", 5)
        assert "The master turns this agent away, and it stops: Another agent has registered" in agent.log
        assert outcomes(job(client, job_id)) == ["lost"]


def test_an_agent_started_again_takes_its_identity_over_at_once(farm: Farm) -> None:
    master = farm.master(**PATIENT)
    first = farm.agent(master)
    with master.client() as client:
        left = submit(client, ENDLESS)
        encoding(first, left)
        first.kill()
        (unfinished,) = (first.work_dir / left).glob("*.part")
        second = farm.agent(master, how=())
        assert second.node_id == first.node_id
        wait_until(lambda: not unfinished.exists(), "what the first left unfinished is gone")
        assert client.post(f"/jobs/{left}/cancel").ok
        job_is(client, submit(client, TINY), "completed")
