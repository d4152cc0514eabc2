"""Each route serves the roles of the table in `master.auth`, and nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from common import problems
from common.model import TOKEN_ROLES, Role
from master.auth import ROUTES
from tests.api.corner import Corner, got, kept, refused
from tests.api.routes import is_page, routes
from tests.masters import Client, Master

STRANGER = {"Via": "1.1 proxy"}
API = [name for name in ROUTES if not is_page(name)]
"""What answers with a page to all is tried in test_sessions.py and tests/dashboard/test_roles_of_pages.py."""


@pytest.fixture(scope="module")
def callers(master: Master) -> Iterator[dict[Role, Client]]:
    """One caller of each role, with what a real master gave it."""
    with ExitStack() as stack, master.client() as operator:
        secrets = {
            role: got(
                operator.post(
                    "/tokens", json={"role": role, "uses": None} if role == "join" else {"role": role}
                ),
                201,
            )["token"]
            for role in TOKEN_ROLES
        }
        secrets[Role.NODE] = "n" * 43
        got(
            operator.post(
                "/nodes/register", json={"address": "a-node", "run_unlabeled": False, "credential": "n" * 43}
            ),
            201,
        )
        clients = {role: stack.enter_context(master.client(secret)) for role, secret in secrets.items()}
        clients[Role.ANYONE] = stack.enter_context(master.client())
        for client in clients.values():
            client.headers.update(STRANGER)
        yield clients


def ask(client: Client, endpoint: str) -> Any:
    """A request to the route that is about nothing that exists, and makes nothing."""
    method, path = routes()[endpoint]
    sends = method in ("POST", "PATCH")
    sent: dict[str, Any] = {"data": "nothing", "headers": {"Content-Type": "text/plain"}} if sends else {}
    if endpoint == "events.stream":
        sent["params"] = {"follow": "0"}
    return client.request(method, path.replace("{id}", "none"), **sent)


def test_the_table_has_every_route_and_no_other() -> None:
    assert set(ROUTES) == set(routes())


def test_the_operator_may_do_everything() -> None:
    assert all(Role.OPERATOR in roles for roles in ROUTES.values())


@pytest.mark.parametrize("endpoint", API)
@pytest.mark.parametrize("role", Role)
def test_each_role_is_served_where_the_table_says_so(
    callers: dict[Role, Client], role: Role, endpoint: str
) -> None:
    answer = ask(callers[role], endpoint)
    if role in ROUTES[endpoint]:
        assert answer.status_code not in (401, 403), answer.text
    elif role is Role.ANYONE:
        refused(answer, problems.UNAUTHENTICATED)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    else:
        refused(answer, problems.FORBIDDEN)


@pytest.mark.parametrize("endpoint", [name for name in API if ROUTES[name] != frozenset(Role)])
def test_a_secret_that_is_none_is_refused_on_every_route(master: Master, endpoint: str) -> None:
    with master.client("x" * 43) as nobody:
        if endpoint == "nodes.register":  # it says who it is in the body
            answer = nobody.post("/nodes/register", json={"address": "far", "credential": "c" * 43})
        else:
            answer = ask(nobody, endpoint)
        refused(answer, problems.UNAUTHENTICATED)


def test_health_answers_whatever_is_shown(master: Master) -> None:
    with master.client("x" * 43) as nobody:
        got(nobody.get("/health"))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUBMITTER])
def test_only_a_join_token_lets_a_node_in(callers: dict[Role, Client], client: Client, role: Role) -> None:
    before = got(client.get("/nodes"))["count"]
    sent = {"address": "far", "credential": "c" * 43}
    body = refused(callers[role].post("/nodes/register", json=sent), problems.FORBIDDEN)
    assert "ffrtmp tokens create --role join" in body["detail"]
    assert got(client.get("/nodes"))["count"] == before


def test_an_unknown_address_and_method_are_told_to_anyone(client: Client) -> None:
    refused(client.get("/nothing", headers=STRANGER), problems.NOT_FOUND)
    answer = client.put("/jobs", headers=STRANGER)
    refused(answer, problems.METHOD_NOT_ALLOWED)
    assert "POST" in answer.headers["Allow"]


# A node and what is another's

OF_A_NODE: dict[str, Callable[[Client, dict[str, Any], dict[str, Any]], Any]] = {
    "nodes.heartbeat": lambda c, node, _: c.post(f"/nodes/{node['id']}/heartbeat"),
    "nodes.leave": lambda c, node, _: c.post(f"/nodes/{node['id']}/leave"),
    "nodes.replace_credential": lambda c, node, _: c.post(
        f"/nodes/{node['id']}/credential", json={"credential": "z" * 43}
    ),
    "nodes.register": lambda c, node, _: c.post(
        "/nodes/register", json={"address": "thief", "id": node["id"], "credential": "z" * 43}
    ),
    "work.next_job": lambda c, node, _: c.get("/jobs/next", params={"node_id": node["id"]}),
    "work.progress": lambda c, node, job: c.post(f"/jobs/{job['id']}/progress", json=_lease(node, job)),
    "work.release": lambda c, node, job: c.post(f"/jobs/{job['id']}/release", json=_lease(node, job)),
    "work.report": lambda c, node, job: c.post("/results", json={**_lease(node, job), "job_id": job["id"]}),
    "work.report_batch": lambda c, node, job: c.post(
        "/results/batch", json={"reports": [{**_lease(node, job), "job_id": job["id"]}]}
    ),
    "files.begin": lambda c, _, job: c.post(
        "/files", json={"sha256": "0" * 64, "size": 1, "job_id": job["id"]}
    ),
}
"""Every route that a node may use and that says whom it is about."""


def _lease(node: dict[str, Any], job: dict[str, Any]) -> dict[str, str]:
    return {"node_id": node["id"], "lease_id": job["lease_id"]}


def test_the_routes_of_nodes_are_all_looked_at() -> None:
    served = {name for name, roles in ROUTES.items() if Role.NODE in roles}
    everybodys = {name for name, roles in ROUTES.items() if roles == frozenset(Role)}
    # What of files is another's does not exist for a node: tests/files/test_whose_files.py.
    files = {"files.send", "files.upload", "files.abandon", "files.content"}
    assert served - set(OF_A_NODE) - everybodys - files == {"scenarios.all_scenarios"}


@pytest.mark.parametrize("endpoint", OF_A_NODE)
def test_a_node_touches_no_other_node_and_no_lease_of_it(
    callers: dict[Role, Client], corner: Corner, endpoint: str
) -> None:
    node, job = corner.start()
    before = kept(corner.client)
    refused(OF_A_NODE[endpoint](callers[Role.NODE], node, job), problems.FORBIDDEN)
    assert kept(corner.client) == before


@pytest.mark.parametrize("endpoint", ["work.progress", "work.release", "work.report"])
def test_a_node_that_speaks_for_itself_does_not_get_at_the_lease_of_another(
    callers: dict[Role, Client], corner: Corner, endpoint: str
) -> None:
    _, job = corner.start()
    listed = got(corner.client.get("/nodes"))["nodes"]
    own = next(node for node in listed if node["address"] == "a-node")
    before = kept(corner.client)
    refused(OF_A_NODE[endpoint](callers[Role.NODE], own, job), problems.STALE_LEASE)
    assert kept(corner.client) == before
