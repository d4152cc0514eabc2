"""An agent that is cut off suspends its encode before the master gives the job away."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.masters import Client, wait_until
from tests.system.farm import (
    ENDLESS,
    LASTING,
    SHORT,
    Farm,
    encoding,
    file_of,
    halfway,
    job,
    job_is,
    node_is,
    outcomes,
    submit,
)
from tests.system.wire import wire_to

TERMS: dict[str, Any] = {"lease": "4s", "heartbeat_timeout": "4s"}
LONG = {**LASTING, "duration": 12}
"""Parameters of a job that takes twelve seconds."""


def stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def attempts(client: Client, job_id: str) -> list[str | None]:
    return outcomes(job(client, job_id))


def test_it_stops_before_the_job_is_given_away_and_ends_when_it_hears_of_that(farm: Farm) -> None:
    master = farm.master(**TERMS)
    with wire_to(master.port) as wire, master.client() as client:
        first = farm.agent(wire.url, name="first")
        job_id = submit(client, ENDLESS)
        ffmpeg = encoding(first, job_id)
        wire.cut()
        wait_until(lambda: stopped(ffmpeg), "its ffmpeg is suspended")
        # Seen to be stopped first, and running as far as the master knows after that.
        assert attempts(client, job_id) == [None]
        first.says(f"Job {job_id} is suspended until the master answers")
        wait_until(lambda: attempts(client, job_id) == ["lost"], "the job is given away")
        assert stopped(ffmpeg)

        second = farm.agent(master, name="second")
        encoding(second, job_id)
        wire.mend()
        wait_until(lambda: gone(ffmpeg), "the old ffmpeg is gone")
        first.says(f"Job {job_id} was ended: the master does not want it any more")
        wait_until(lambda: not (first.work_dir / job_id).exists(), "nothing of it is left")
        assert attempts(client, job_id) == ["lost", None]
        assert job(client, job_id)["node_id"] == second.node_id


def test_an_encode_goes_on_after_a_partition_that_its_lease_outlived(farm: Farm) -> None:
    master = farm.master(**TERMS)
    with wire_to(master.port) as wire:
        agent = farm.agent(wire.url)
        with master.client() as client:
            job_id = submit(client, LONG)
        ffmpeg = encoding(agent, job_id)
        wire.cut()
        # From now on the lease holds for an hour, which the agent cannot know: mending needs no hurry.
        master.kill()
        master = farm.master(lease="1h", heartbeat_timeout="1h")
        wait_until(lambda: stopped(ffmpeg), "its ffmpeg is suspended")
        with master.client() as client:
            assert attempts(client, job_id) == [None]
            wire.mend()
            agent.says(f"Job {job_id} goes on: its lease holds")
            assert agent.ffmpegs() == [ffmpeg]
            done = job_is(client, job_id, "completed", 90)
            assert outcomes(done) == ["completed"]
        assert file_of(agent, job_id).stat().st_size > 0


def test_a_result_that_comes_too_late_is_refused(farm: Farm) -> None:
    # The encode and its probe must be over before the lease is: they take a second or two.
    master = farm.master(lease="8s", heartbeat_timeout="8s")
    with wire_to(master.port) as wire, master.client() as client:
        first = farm.agent(wire.url, name="first")
        job_id = submit(client, SHORT)
        with halfway(first, job_id):
            wire.cut()
        first.says(f"Job {job_id} completed successfully")
        second = farm.agent(master, name="second")
        done = job_is(client, job_id, "completed", 60)
        assert outcomes(done) == ["lost", "completed"]
        wire.mend()
        first.says(f"The result of job {job_id} is not wanted")
        assert job(client, job_id) == done
        assert done["node_id"] == second.node_id
        node_is(client, first.node_id, "available")


def test_an_encode_is_not_suspended_while_the_master_is_down(farm: Farm) -> None:
    master = farm.master(**TERMS)
    agent = farm.agent(master)
    with master.client() as client:
        job_id = submit(client, SHORT)
    with halfway(agent, job_id):
        master.kill()
        killed = time.monotonic()
        wait_until(lambda: time.monotonic() > killed + 8, "twice the lease has passed")
    agent.says(f"Job {job_id} completed successfully")
    assert "is suspended" not in agent.log
    master = farm.master(**TERMS)
    with master.client() as client:
        assert outcomes(job_is(client, job_id, "completed")) == ["completed"]
