"""One id leads from `ffrtmp jobs submit` through the master's log to the agent's log and the job's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.masters import wait_until
from tests.operator.conftest import Ffrtmp
from tests.system.conftest import farm
from tests.system.farm import Farm, job_is

__all__ = ["farm"]


def documents(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines()]


def test_the_id_of_a_submit_is_found_in_all_logs(farm: Farm, tmp_path: Path) -> None:
    master = farm.master(log_format="json")
    agent = farm.agent(master, "--log-format=json")
    agent.says("Registered with")
    ffrtmp = Ffrtmp(master.url, tmp_path / "home")
    job = ffrtmp.json("jobs", "submit", "480p30-h264", "-p", "duration=0.5")
    request_id = job["request_id"]
    with master.client() as client:
        job_is(client, job["id"], "completed")
    agent.says("Results sent")

    of_master = [line for line in documents(master.log.read_text()) if line.get("request_id") == request_id]
    assert [(line["event"], line["route"], line["job_id"]) for line in of_master] == [
        ("request", "/jobs", job["id"])
    ]
    of_agent = [line for line in documents(agent.log) if line.get("request_id") == request_id]
    assert [line["message"].split(" ")[0] for line in of_agent] == ["Received", "Executing", "Job", "Results"]
    assert {(line["job_id"], line["attempt"]) for line in of_agent} == {(job["id"], 1)}
    assert {line["node_id"] for line in of_agent} == {agent.node_id}
    first = ffrtmp("jobs", "logs", job["id"]).stdout.splitlines()[0]
    assert first == f"Attempt 1 of job {job['id']} on node {agent.node_id}, asked for by request {request_id}"


def test_all_that_an_agent_writes_is_json_and_so_is_why_it_ends(farm: Farm) -> None:
    agent = farm.agent("https://localhost:1", "--log-format=json", "--log-level=debug", how=("--yes",))
    assert agent.ends() == 1
    (line,) = documents(agent.log)
    assert "is not registered" in line["message"]
    assert line["level"] == "critical"


def test_ffrtmp_says_by_which_id_a_refusal_is_found(farm: Farm, tmp_path: Path) -> None:
    master = farm.master(log_format="json", log_level="debug")
    done = Ffrtmp(master.url, tmp_path)("jobs", "show", "none")
    assert done.returncode != 0
    request_id = done.stderr.rpartition("(request ")[2].rstrip(")\n")
    assert len(request_id) == 32, done.stderr

    def found() -> list[dict[str, Any]]:
        lines = documents(master.log.read_text())
        return [line for line in lines if line.get("request_id") == request_id]

    (line,) = wait_until(found, "the request is in the log")
    assert (line["route"], line["status"]) == ("/jobs/<job_id>", 404)


@pytest.mark.parametrize("level", ["info", "debug"])
def test_people_find_it_in_the_agents_log_at_debug(farm: Farm, level: str) -> None:
    master = farm.master()
    agent = farm.agent(master, f"--log-level={level}")
    with master.client() as client:
        sent = {"scenario": "480p30-h264", "parameters": {"duration": 0.5, "preset": "ultrafast"}}
        job = client.post("/jobs", json=sent, headers={"X-Request-Id": "a-persons-own"}).json()
        job_is(client, job["id"], "completed")
    agent.says("Results sent")
    assert ("asked for by request a-persons-own" in agent.log) is (level == "debug")
