"""An agent that was stopped for longer than its lease publishes nothing: another has done its job."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from tests.masters import wait_until
from tests.system.farm import ENDLESS, SHORT, Farm, encoding, job, job_is, node_is, outcomes, submit

TERMS: dict[str, Any] = {"lease": "2s", "heartbeat_timeout": "2s"}


def has_ended(pid: int) -> bool:
    """Also if its parent has not asked for its exit code yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_what_it_finished_too_late_is_dropped(farm: Farm) -> None:
    master = farm.master(**TERMS)
    first = farm.agent(master, name="first")
    with master.client() as client:
        job_id = submit(client, SHORT)
        ffmpeg = encoding(first, job_id)
        first.signal(signal.SIGSTOP)
        # Its ffmpeg is not stopped, and finishes.
        wait_until(lambda: has_ended(ffmpeg), "the encode is finished", 40)
        second = farm.agent(master, name="second")
        done = job_is(client, job_id, "completed", 60)
        assert outcomes(done) == ["lost", "completed"]
        assert done["node_id"] == second.node_id
        first.signal(signal.SIGCONT)
        first.says(f"Job {job_id} was ended: the master does not want it any more")  # nothing was published
        assert job(client, job_id) == done
        node_is(client, first.node_id, "available")


def test_an_encode_that_it_still_runs_is_ended(farm: Farm) -> None:
    master = farm.master(**TERMS)
    first = farm.agent(master, name="first")
    with master.client() as client:
        job_id = submit(client, ENDLESS)
        ffmpeg = encoding(first, job_id)
        first.signal(signal.SIGSTOP)
        wait_until(lambda: outcomes(job(client, job_id)) == ["lost"], "the job is given away")
        second = farm.agent(master, name="second")
        encoding(second, job_id)
        first.signal(signal.SIGCONT)
        wait_until(lambda: not Path(f"/proc/{ffmpeg}").exists(), "its ffmpeg is gone")
        first.says(f"Job {job_id} was ended: the master does not want it any more")
        assert outcomes(job(client, job_id)) == ["lost", None]
        assert job(client, job_id)["node_id"] == second.node_id
