"""Two nodes probe for one target at the same time, and the output reaches it; cancelled, all of it ends."""

from __future__ import annotations

from typing import Any

from tests.masters import Client, wait_until
from tests.system.farm import Farm, job, job_is, submit

SMALL: dict[str, Any] = {"width": 320, "height": 180, "preset": "ultrafast", "threads": 1}


def parts(client: Client, job_id: str) -> list[dict[str, Any]]:
    answer = client.get(f"/jobs?parent_id={job_id}")
    assert answer.status_code == 200
    return sorted(answer.json()["jobs"], key=lambda part: float(part["parameters"]["crf"]))


def test_both_nodes_probe_and_the_output_reaches_its_target(farm: Farm) -> None:
    master = farm.master()
    agents = [farm.agent(master, name=name) for name in ("one", "two")]
    nodes = {agent.node_id for agent in agents}
    with master.client() as client:
        job_id = submit(client, {**SMALL, "duration": 2, "target_vmaf": 90})
        done = job_is(client, job_id, "completed", 90)
        found = parts(client, job_id)
        results = [client.get(f"/jobs/{part['id']}/result").json() for part in found]
        result = client.get(f"/jobs/{job_id}/result").json()
    assert (done["stage"], len(done["attempts"])) == ("encode", 1)
    assert [(part["status"], part["stage"]) for part in found] == [("completed", "probe")] * 2
    assert {part["node_id"] for part in found} == nodes
    assert result["metrics"]["target_reached"] is True
    assert abs(result["metrics"]["vmaf_mean"] - 90) <= 1
    made = [probe for each in results for probe in each["probes"]]
    assert [probe["crf"] for probe in made] == [part["parameters"]["crf"] for part in found]
    assert result["probes"][:2] == made
    assert result["probes"][-1]["whole"] is True


def test_cancelling_the_job_ends_the_probes_that_run(farm: Farm) -> None:
    master = farm.master()
    agents = [farm.agent(master, name=name) for name in ("one", "two")]
    assert len({agent.node_id for agent in agents}) == 2
    with master.client() as client:
        slow = {"width": 1280, "height": 720, "preset": "veryslow", "threads": 1, "duration": 3600}
        job_id = submit(client, {**slow, "target_vmaf": 90})
        wait_until(lambda: all(agent.ffmpegs() for agent in agents), "both nodes probe")
        assert job(client, job_id)["pending_reason"] == "waits for its parts: 0 of 2 completed"
        assert client.post(f"/jobs/{job_id}/cancel").json()["status"] == "canceled"
        assert {part["status"] for part in parts(client, job_id)} == {"canceled"}
        wait_until(lambda: not any(agent.ffmpegs() for agent in agents), "the probes have ended", 30)
