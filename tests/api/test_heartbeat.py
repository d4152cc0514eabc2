"""`POST /nodes/{id}/heartbeat` is a sign of life, and tells the node which leases still hold."""

from __future__ import annotations

import pytest

from common import problems
from tests.api.corner import Corner, got, refused, refused_fields
from tests.masters import Client, wait_until


def test_a_heartbeat_without_a_body_answers_status_and_leases(corner: Corner) -> None:
    node, job = corner.start()
    answer = got(corner.client.post(f"/nodes/{node['id']}/heartbeat"))
    assert answer == {
        "status": "busy",
        "leases": [job["lease_id"]],
        "heartbeat_timeout": 3600,
        "lease": 3600,
        "credential_ttl": 90 * 86400,
        "credential_expires_in": None,
        "max_claims": 100,
    }


def test_a_heartbeat_moves_last_heartbeat(corner: Corner) -> None:
    node = corner.register()

    def moved() -> bool:
        got(corner.client.post(f"/nodes/{node['id']}/heartbeat", json={}))
        return bool(corner.node(node["id"])["last_heartbeat"] > node["last_heartbeat"])

    wait_until(moved, "last_heartbeat moves on")


@pytest.mark.parametrize("plain", [True, False])
def test_a_heartbeat_renews_the_leases_that_it_names_and_a_plain_one_renews_all(
    corner: Corner, plain: bool
) -> None:
    node, job = corner.start()
    sent = {} if plain else {"leases": [job["lease_id"]]}
    wait_until(lambda: corner.job(job["id"])["lease_expires_in"] < 3599.5, "some time passes")
    before = corner.job(job["id"])["lease_expires_in"]
    got(corner.client.post(f"/nodes/{node['id']}/heartbeat", json=sent))
    assert corner.job(job["id"])["lease_expires_in"] > before


def test_a_lease_that_the_node_does_not_name_is_not_renewed(corner: Corner) -> None:
    node, job = corner.start()
    before = corner.job(job["id"])["lease_expires_in"]
    answer = got(corner.client.post(f"/nodes/{node['id']}/heartbeat", json={"leases": ["another"]}))
    assert answer["leases"] == [job["lease_id"]]
    assert corner.job(job["id"])["lease_expires_in"] <= before


def test_a_canceled_job_is_missing_from_the_leases(corner: Corner) -> None:
    node, job = corner.start()
    got(corner.client.post(f"/jobs/{job['id']}/cancel"))
    assert got(corner.client.post(f"/nodes/{node['id']}/heartbeat"))["leases"] == []


@pytest.mark.parametrize(
    "sent", [{"leases": "abc"}, {"leases": [1]}, {"leases": ["no good"]}, {"leases": ["a"] * 1025}]
)
def test_leases_that_are_none_are_refused(corner: Corner, sent: dict[str, object]) -> None:
    answer = corner.client.post(f"/nodes/{corner.register()['id']}/heartbeat", json=sent)
    assert refused_fields(answer)[0].startswith("leases")


def test_a_node_that_is_not_known_is_told_to_register(client: Client) -> None:
    problem = refused(client.post("/nodes/nobody/heartbeat"), problems.UNKNOWN_NODE)
    assert "/nodes/register" in problem["detail"]


def test_a_heartbeat_tells_the_load_which_the_node_shows(corner: Corner) -> None:
    node = corner.register()
    assert node["load"] is None
    sent = {"load": {"cpu": 0.75, "memory": None}}
    got(corner.client.post(f"/nodes/{node['id']}/heartbeat", json=sent))
    assert corner.node(node["id"])["load"] == {"cpu": 0.75, "memory": None}


@pytest.mark.parametrize("load", [{"cpu": 1.5}, {"cpu": -0.1}, {"cpu": "0.5"}, {"gpu": 0.5}, 0.5, [0.5]])
def test_a_load_that_is_none_is_refused_and_not_kept(corner: Corner, load: object) -> None:
    node = corner.register()
    answer = corner.client.post(f"/nodes/{node['id']}/heartbeat", json={"load": load})
    assert refused_fields(answer)[0].startswith("load")
    assert corner.node(node["id"])["load"] is None
