"""Everything takes up to 5 s in each direction: no agent is taken for dead, and jobs are done."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.proxy import Proxy
from tests.masters import Client, Master, wait_until
from tests.system.farm import TINY, Farm, job, node, outcomes, submit

SLOW = (2.5, 5.0)
"""Seconds. The heartbeat interval and the time-outs are the default ones."""
SLOWEST = (5.0, 5.0)
JOBS = 2


def test_a_master_waits_for_the_slowest_handshake(master: Master, proxy: Proxy) -> None:
    with Client(f"https://localhost:{proxy.port}", master.ca) as client, proxy.fault(delay=SLOWEST):
        assert client.get("/health", timeout=60).ok


@pytest.mark.timeout(400)
def test_agents_far_away_are_heard_and_do_their_jobs(farm: Farm, open_proxy: Callable[[int], Proxy]) -> None:
    master = farm.master()
    proxy = open_proxy(master.port)
    with master.client() as client, proxy.fault(delay=SLOW):
        agent = farm.agent(f"https://localhost:{proxy.port}")
        agent.says("Registered with", 60)
        job_ids = [submit(client, TINY) for _ in range(JOBS)]

        def done() -> bool:
            assert node(client, agent.node_id)["status"] in ("available", "busy")
            return all(job(client, job_id)["status"] == "completed" for job_id in job_ids)

        wait_until(done, "all jobs are completed", 180)
        assert [outcomes(job(client, job_id)) for job_id in job_ids] == [["completed"]] * JOBS
    assert "trying again" not in agent.log
    assert "Cannot" not in agent.log
