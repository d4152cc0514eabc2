"""Each route serves the roles of the table in `master.auth`, and nobody else."""

from __future__ import annotations

import pytest

from common import problems
from common.model import Role
from master.auth import ROUTES
from tests.api.corner import Corner, refused
from tests.api.routes import routes
from tests.masters import Client, Master

STRANGER = {"Via": "1.1 proxy"}


def test_the_table_has_every_route_and_no_other() -> None:
    assert set(ROUTES) == set(routes())


def test_the_operator_may_do_everything() -> None:
    assert all(Role.OPERATOR in roles for roles in ROUTES.values())


@pytest.mark.parametrize("endpoint", [name for name, roles in ROUTES.items() if Role.ANYONE not in roles])
def test_anyone_is_asked_for_a_credential(client: Client, endpoint: str) -> None:
    method, path = routes()[endpoint]
    answer = client.request(method, path.replace("{id}", "some"), headers=STRANGER)
    refused(answer, problems.UNAUTHENTICATED)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("endpoint", [name for name, roles in ROUTES.items() if Role.NODE not in roles])
def test_a_node_is_told_that_this_is_not_for_it(master: Master, corner: Corner, endpoint: str) -> None:
    credential = f"just-a-node-{corner.labels['corner']}"
    corner.register(credential=credential)
    method, path = routes()[endpoint]
    with master.client(credential) as node:
        refused(node.request(method, path.replace("{id}", "some")), problems.FORBIDDEN)


def test_an_unknown_address_and_method_are_told_to_anyone(client: Client) -> None:
    refused(client.get("/nothing", headers=STRANGER), problems.NOT_FOUND)
    answer = client.put("/jobs", headers=STRANGER)
    refused(answer, problems.METHOD_NOT_ALLOWED)
    assert "POST" in answer.headers["Allow"]
