"""A master that stands still for longer than its leases last blames nobody: encodes go on and count."""

from __future__ import annotations

import os
import signal
import time

from tests.masters import wait_until
from tests.system.farm import SHORT, Farm, halfway, job, job_is, outcomes, submit

TERM = 2.0
"""Seconds of a lease."""


def test_an_encode_goes_on_after_a_pause_of_the_master(farm: Farm) -> None:
    master = farm.master(lease=f"{TERM}s", heartbeat_timeout=f"{TERM}s")
    agent = farm.agent(master, "--heartbeat-interval=300ms")
    with master.client() as client:
        job_id = submit(client, SHORT)
        with halfway(agent, job_id):
            worker = master.worker_pid()
            assert worker is not None
            os.kill(worker, signal.SIGSTOP)
            stopped_at = time.monotonic()
            wait_until(lambda: time.monotonic() > stopped_at + 1.5 * TERM, "every lease would have ended")
            os.kill(worker, signal.SIGCONT)
            wait_until(lambda: "stood still" in master.log.read_text(), "the master notices")
            assert job(client, job_id)["status"] == "running"
        assert outcomes(job_is(client, job_id, "completed")) == ["completed"]
