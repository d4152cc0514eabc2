"""`DELETE /nodes/{id}` forgets a node and loses none of its jobs."""

from __future__ import annotations

from common import problems
from tests.api.corner import Corner, refused
from tests.masters import Client


def test_a_deleted_node_is_gone_and_may_not_poll(corner: Corner) -> None:
    node_id = corner.register()["id"]
    answer = corner.client.delete(f"/nodes/{node_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    refused(corner.client.get(f"/nodes/{node_id}"), problems.UNKNOWN_NODE)
    refused(corner.client.get("/jobs/next", params={"node_id": node_id}), problems.UNKNOWN_NODE)


def test_the_job_of_a_deleted_node_goes_back_and_another_node_gets_it(corner: Corner) -> None:
    node, job = corner.start()
    corner.client.delete(f"/nodes/{node['id']}")
    job = corner.job(job["id"])
    assert (job["status"], job["error"]["code"]) == ("pending", "node_removed")
    assert corner.poll(corner.register()["id"])["id"] == job["id"]


def test_an_unknown_node_cannot_be_deleted(client: Client) -> None:
    refused(client.delete("/nodes/nobody"), problems.UNKNOWN_NODE)
