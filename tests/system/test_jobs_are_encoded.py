"""A job that is submitted is really encoded: a file, a log, progress, a result."""

from __future__ import annotations

import os
import time
from pathlib import Path

import av
import pytest

from tests.masters import ROOT, wait_until
from tests.system.farm import ENDLESS, LASTING, TINY, Farm, file_of, job, job_is, submit


def test_every_job_leaves_a_file_that_is_what_was_asked_for(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master, "--max-concurrent-jobs=2")
    with master.client() as client:
        jobs = {
            submit(client, {"duration": 0.5, "preset": "ultrafast"}): (854, 480, 15),
            submit(client, {"duration": 1, "preset": "ultrafast"}, "720p30-h264"): (1280, 720, 30),
            submit(client, {"duration": 2, "width": 320, "height": 240, "fps": 10}): (320, 240, 20),
        }
        for job_id, (width, height, frames) in jobs.items():
            job_is(client, job_id, "completed")
            with av.open(str(file_of(agent, job_id))) as file:
                decoded = list(file.decode(video=0))
            assert (decoded[0].width, decoded[0].height, len(decoded)) == (width, height, frames)
            metrics = client.get(f"/jobs/{job_id}/result").json()["metrics"]
            assert metrics["output_path"] == str(file_of(agent, job_id))
            assert metrics["output_bytes"] == file_of(agent, job_id).stat().st_size
            assert metrics["frames"] == frames
        listed = client.get("/results").json()["results"]
        assert {result["job_id"] for result in listed} == set(jobs)


def test_relative_directories_are_where_the_agent_was_started(farm: Farm, tmp_path: Path) -> None:
    """The sandbox has no current directory: what is handed to it is absolute from the start."""
    master = farm.master()
    there = os.path.relpath(tmp_path, ROOT)
    agent = farm.agent(master, f"--state-dir={there}/state", f"--work-dir={there}/work")
    assert f"Kept in {tmp_path}/state/" in agent.says("Kept in")
    with master.client() as client:
        job_id = submit(client, TINY)
        job_is(client, job_id, "completed")
        made = client.get(f"/jobs/{job_id}/result").json()["metrics"]["output_path"]
    assert made.startswith(f"{tmp_path}/work/")


def test_the_agent_says_what_it_does_in_the_guides_words(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master)
    with master.client() as client:
        job_id = submit(client, TINY)
        job_is(client, job_id, "completed")
    lines = [
        f"Received job: {job_id} (scenario: 480p30-h264)",
        f"Executing job {job_id}...",
        f"Job {job_id} completed successfully",
        f"Results sent for job {job_id} (status: completed)",
    ]
    agent.says(lines[-1])
    said = [line.split(" ", 1)[1] for line in agent.log.splitlines() if job_id in line]
    assert said == lines


def test_progress_and_the_log_can_be_seen_while_it_runs(farm: Farm) -> None:
    master = farm.master()
    farm.agent(master)
    with master.client() as client:
        job_id = submit(client, {**LASTING, "duration": 600})
        seen = wait_until(
            lambda: (job(client, job_id)["progress"] or {}).get("speed") and job(client, job_id)["progress"],
            "there is progress",
        )
        assert 0 < seen["frame"] < 600 * 30
        assert 0 <= seen["percent"] < 100
        assert seen["speed"] > 0
        wait_until(lambda: job(client, job_id)["progress"]["frame"] > seen["frame"], "it goes on")
        assert any("libx264" in line for line in client.get(f"/jobs/{job_id}/logs").json()["lines"])


def test_an_idle_agent_begins_within_a_second(farm: Farm) -> None:
    master = farm.master()
    # It would ask again after an hour only: what is measured is the parked poll.
    agent = farm.agent(master, "--poll-interval=1h")
    with master.client() as client:
        job_is(client, submit(client, TINY), "completed")
        agent.says("Results sent")
        submitted = time.monotonic()
        job_id = submit(client, ENDLESS)
        job_is(client, job_id, "running")
        assert time.monotonic() - submitted < 1.0


@pytest.mark.parametrize("slots", [1, 2])
def test_as_many_jobs_run_at_once_as_it_was_told(farm: Farm, slots: int) -> None:
    master = farm.master()
    agent = farm.agent(master, f"--max-concurrent-jobs={slots}")
    with master.client() as client:
        jobs = [submit(client, ENDLESS) for _ in range(slots + 1)]
        for job_id in jobs[:slots]:
            job_is(client, job_id, "running")
        wait_until(lambda: len(agent.ffmpegs()) == slots, f"{slots} ffmpegs run")
        last = job(client, jobs[-1])
        assert last["status"] == "pending"
        assert client.get(f"/nodes/{agent.node_id}").json()["status"] == "busy"
