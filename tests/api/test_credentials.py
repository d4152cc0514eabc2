"""A credential says who calls: the operator, or a node that may speak for itself only."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import Any

import pytest

from common import problems
from tests.api.corner import Corner, got, refused
from tests.masters import Client, Master

STRANGER = {"Via": "1.1 proxy"}


@pytest.fixture
def credential(corner: Corner) -> str:
    return f"secret-{corner.labels['corner']}"


@pytest.fixture
def node(corner: Corner, credential: str) -> dict[str, Any]:
    return corner.register(credential=credential)


@pytest.fixture
def agent(master: Master, node: dict[str, Any], credential: str) -> Iterator[Client]:
    """What the node's agent would send, from anywhere."""
    with master.client(credential) as client:
        client.headers.update(STRANGER)
        yield client


def test_the_operators_token_opens_everything_from_anywhere(master: Master) -> None:
    with master.client(master.token) as operator:
        got(operator.get("/jobs", headers=STRANGER))
        got(operator.get("/nodes", headers={"X-Forwarded-For": "192.0.2.1"}))


def test_the_operators_token_is_for_the_masters_user_only(master: Master) -> None:
    mode = (master.state_dir / "operator.token").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.parametrize(
    "header", ["Bearer wrong", "Bearer ", "Bearer", "", "Basic dXNlcjpwYXNz", "Bearer \xe4\xf6"]
)
def test_a_credential_that_is_none_is_refused_even_at_the_local_door(client: Client, header: str) -> None:
    answer = client.get("/jobs", headers={"Authorization": header.encode("latin-1")})
    refused(answer, problems.UNAUTHENTICATED)


def test_the_token_under_another_scheme_is_refused(master: Master, client: Client) -> None:
    answer = client.get("/jobs", headers={"Authorization": f"Basic {master.token}"})
    refused(answer, problems.UNAUTHENTICATED)


def test_a_node_works_with_its_credential(corner: Corner, node: dict[str, Any], agent: Client) -> None:
    job = corner.submit()
    got(agent.post(f"/nodes/{node['id']}/heartbeat"))
    claimed = got(agent.get("/jobs/next", params={"node_id": node["id"]}))
    sent = {"node_id": node["id"], "lease_id": claimed["lease_id"]}
    got(agent.post(f"/jobs/{job['id']}/progress", json=sent))
    got(agent.post("/results", json={**sent, "job_id": job["id"]}))
    assert corner.job(job["id"])["status"] == "completed"
    got(agent.get("/scenarios"))


def test_a_node_may_not_speak_for_another(corner: Corner, agent: Client) -> None:
    other, claimed = corner.start()
    stolen = {"node_id": other["id"], "lease_id": claimed["lease_id"]}
    for answer in (
        agent.post(f"/nodes/{other['id']}/heartbeat"),
        agent.post(f"/nodes/{other['id']}/leave"),
        agent.get("/jobs/next", params={"node_id": other["id"]}),
        agent.post(f"/jobs/{claimed['id']}/progress", json=stolen),
        agent.post(f"/jobs/{claimed['id']}/release", json=stolen),
        agent.post("/results", json={**stolen, "job_id": claimed["id"]}),
    ):
        refused(answer, problems.FORBIDDEN)
    assert corner.job(claimed["id"])["status"] == "running"
    assert corner.node(other["id"])["status"] == "busy"


def test_the_id_of_a_node_cannot_be_taken_over(corner: Corner, node: dict[str, Any], credential: str) -> None:
    for taken in (node["id"], corner.register()["id"]):
        sent = {"address": "thief", "id": taken, "credential": "another-" + "x" * 40}
        refused(corner.client.post("/nodes/register", json=sent, headers=STRANGER), problems.FORBIDDEN)
    assert corner.node(node["id"])["address"] == "worker-01"


def test_anyone_who_registers_a_node_brings_a_credential(client: Client) -> None:
    answer = client.post("/nodes/register", json={"address": "far"}, headers=STRANGER)
    assert "credential" in refused(answer, problems.UNAUTHENTICATED)["detail"]


def test_a_node_that_registers_again_with_its_credential_stays_approved(
    corner: Corner, node: dict[str, Any], credential: str
) -> None:
    sent = {"address": "worker-01", "id": node["id"], "credential": credential, "labels": corner.labels}
    again = got(corner.client.post("/nodes/register", json=sent, headers=STRANGER), 201)
    assert (again["id"], again["status"]) == (node["id"], "available")


def test_the_credential_of_a_deleted_node_is_worth_nothing(
    corner: Corner, node: dict[str, Any], agent: Client
) -> None:
    assert corner.client.delete(f"/nodes/{node['id']}").status_code == 204
    refused(agent.post(f"/nodes/{node['id']}/heartbeat"), problems.UNAUTHENTICATED)


def test_no_secret_is_in_the_log_or_in_an_error(
    master: Master, corner: Corner, node: dict[str, Any], credential: str
) -> None:
    answer = corner.client.get("/jobs", headers={"Authorization": f"Bearer {credential}x"})
    assert credential not in answer.text
    log = master.log.read_text()
    assert credential not in log
    assert master.token not in log
