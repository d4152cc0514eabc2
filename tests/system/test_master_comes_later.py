"""An agent that is started before its master waits for it."""

from __future__ import annotations

from tests.masters import free_port
from tests.system.farm import TINY, Farm, job_is, submit


def test_an_agent_waits_for_a_master_that_is_not_there_yet(farm: Farm) -> None:
    port = free_port()
    agent = farm.agent(f"https://localhost:{port}")
    agent.says(f"Cannot reach the master at https://localhost:{port}")
    master = farm.master(port=port)
    with master.client() as client:
        assert job_is(client, submit(client, TINY), "completed")["node_id"] == agent.node_id
