"""A node that an operator drains finishes what it has, and begins again when it is resumed."""

from __future__ import annotations

from tests.system.farm import SHORT, TINY, Farm, halfway, job, job_is, node_is, submit


def test_a_drained_node_finishes_its_job_and_waits_to_be_resumed(farm: Farm) -> None:
    master = farm.master()
    # It would ask again after an hour only: being resumed wakes it.
    agent = farm.agent(master, "--poll-interval=1h")
    with master.client() as client:
        first = submit(client, SHORT)
        with halfway(agent, first):
            drained = client.post(f"/nodes/{agent.node_id}/drain").json()
            assert drained["status"] == "draining"
            second = submit(client, TINY)
        job_is(client, first, "completed")
        agent.says(f"Results sent for job {first}")
        assert job(client, second)["status"] == "pending"
        assert client.post(f"/nodes/{agent.node_id}/resume").json()["status"] == "available"
        job_is(client, second, "completed")
        node_is(client, agent.node_id, "available")
