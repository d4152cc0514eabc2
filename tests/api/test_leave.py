"""`POST /nodes/{id}/leave` says that a node's agent ends; `stopping` that it is about to."""

from __future__ import annotations

import uuid

from common import problems
from tests.api.corner import Corner, got, refused
from tests.masters import Client


def test_a_node_that_leaves_is_offline_and_its_job_goes_back(corner: Corner) -> None:
    node, claimed = corner.start()
    answer = corner.client.post(f"/nodes/{node['id']}/leave")
    assert (answer.status_code, answer.content) == (204, b"")
    assert corner.node(node["id"])["status"] == "offline"
    job = corner.job(claimed["id"])
    assert (job["status"], job["error"]["code"]) == ("pending", "handed_back")


def test_a_node_that_left_is_back_when_it_is_heard_of(corner: Corner) -> None:
    node = corner.register()
    corner.client.post(f"/nodes/{node['id']}/leave")
    got(corner.client.post(f"/nodes/{node['id']}/heartbeat"))
    assert corner.node(node["id"])["status"] == "available"


def test_a_stopping_node_keeps_its_job_and_gets_no_other_until_it_registers_again(corner: Corner) -> None:
    node, claimed = corner.start()
    corner.submit()
    beat = {"leases": [claimed["lease_id"]], "stopping": True}
    answer = got(corner.client.post(f"/nodes/{node['id']}/heartbeat", json=beat))
    assert (answer["status"], answer["leases"]) == ("draining", [claimed["lease_id"]])
    got(corner.report(claimed))
    assert corner.poll(node["id"]) == {"job": None}
    corner.register(id=node["id"])
    assert corner.poll(node["id"])["job"] is not None


def test_a_late_goodbye_of_an_agent_that_was_started_anew_changes_nothing(corner: Corner) -> None:
    node = corner.register(id=str(uuid.uuid4()), instance="first")
    corner.register(id=node["id"], instance="second")
    corner.client.post(f"/nodes/{node['id']}/leave", json={"instance": "first"})
    assert corner.node(node["id"])["status"] == "available"
    corner.client.post(f"/nodes/{node['id']}/leave", json={"instance": "second"})
    assert corner.node(node["id"])["status"] == "offline"


def test_an_unknown_node_cannot_leave(client: Client) -> None:
    refused(client.post("/nodes/nobody/leave"), problems.UNKNOWN_NODE)
