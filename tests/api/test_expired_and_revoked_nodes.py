"""A node that shows a credential that has ended is told so on every route, and how it may come back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from common import problems
from common.version import PROTOCOL
from tests.api.corner import Corner, got, refused
from tests.masters import Client, Master, start_master, wait_until

SPEAKS = {"Ffrtmp-Protocol": str(PROTOCOL)}


@pytest.fixture
def credential() -> str:
    return f"secret-{uuid.uuid4()}"


@pytest.fixture
def node_id(corner: Corner, credential: str) -> str:
    return str(corner.register(credential=credential)["id"])


@pytest.fixture
def agent(master: Master, node_id: str, credential: str) -> Iterator[Client]:
    with master.client(credential) as client:
        client.headers["Via"] = "1.1 proxy"
        yield client


def test_a_revoked_node_is_turned_away_at_once(corner: Corner, node_id: str, agent: Client) -> None:
    got(agent.post(f"/nodes/{node_id}/heartbeat"))
    job = corner.submit()
    claimed = corner.poll(node_id)["job"]
    assert got(corner.client.post(f"/nodes/{node_id}/revoke"))["status"] == "revoked"
    assert got(corner.client.post(f"/nodes/{node_id}/revoke"))["status"] == "revoked"
    for answer in (
        agent.post(f"/nodes/{node_id}/heartbeat"),
        agent.get("/jobs/next", params={"node_id": node_id}),
        agent.post(
            "/results", json={"job_id": job["id"], "node_id": node_id, "lease_id": claimed["lease_id"]}
        ),
        agent.post(f"/nodes/{node_id}/credential", json={"credential": "n" * 43}),
        agent.get("/scenarios"),
    ):
        body = refused(answer, problems.CREDENTIAL_REVOKED)
        assert f"ffrtmp nodes rm {node_id}" in body["detail"]
    after = corner.job(job["id"])
    assert (after["status"], after["error"]["code"]) == ("pending", "node_revoked")


def test_it_does_not_register_again_and_no_operator_works_in_its_name(
    corner: Corner, node_id: str, credential: str
) -> None:
    got(corner.client.post(f"/nodes/{node_id}/revoke"))
    sent = {"address": "worker-01", "id": node_id, "credential": credential}
    for headers in ({}, {"Via": "1.1 proxy"}):
        answer = corner.client.post("/nodes/register", json=sent, headers=headers)
        refused(answer, problems.CREDENTIAL_REVOKED)
    for path in ("heartbeat", "approve"):
        refused(corner.client.post(f"/nodes/{node_id}/{path}"), problems.NODE_REVOKED)
    refused(corner.client.get("/jobs/next", params={"node_id": node_id}), problems.NODE_REVOKED)


def test_health_is_for_everybody(corner: Corner, node_id: str, agent: Client) -> None:
    got(corner.client.post(f"/nodes/{node_id}/revoke"))
    got(agent.get("/health"))


def test_an_expired_node_is_told_how_to_come_back_and_an_operator_gives_it_another_term(
    tmp_path: Path, credential: str
) -> None:
    master = start_master(tmp_path / "state", credential_ttl="2s", heartbeat_timeout="2s", auth="required")
    try:
        with master.client(credential) as agent, master.client(master.token) as operator:
            text = got(operator.post("/tokens", json={}), 201)["token"]
            sent = {"address": "far", "credential": credential}
            join = {**SPEAKS, "Authorization": f"Bearer {text}"}
            node = got(agent.post("/nodes/register", json=sent, headers=join), 201)
            assert 0 < node["credential_expires_in"] <= node["credential_ttl"] == 2

            def answer() -> int:
                return agent.post(f"/nodes/{node['id']}/heartbeat").status_code

            wait_until(lambda: answer() == 401, "it expires")
            body = refused(agent.post(f"/nodes/{node['id']}/heartbeat"), problems.CREDENTIAL_EXPIRED)
            assert f"ffrtmp nodes approve {node['id']}" in body["detail"]
            again = {**sent, "id": node["id"]}
            with master.client() as bare:
                refused(bare.post("/nodes/register", json=again, headers=SPEAKS), problems.CREDENTIAL_EXPIRED)
            got(operator.post(f"/nodes/{node['id']}/approve"))
            assert answer() == 200
    finally:
        assert master.stop() == 0
