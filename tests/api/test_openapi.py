"""`/openapi.json` describes every route and no other, with the schemas, problems and roles of the code."""

from __future__ import annotations

import re
from typing import Any

import pytest
from marshmallow import Schema

from common import problems
from common.examples import EXAMPLES
from common.model import Role
from master.api.described import description_of
from master.api.docs import ASSETS
from master.api.spec import openapi
from master.app import create_app
from master.auth import ROUTES
from tests.api.corner import got
from tests.api.routes import is_page
from tests.masters import Client

STRANGER = {"Via": "1.1 proxy"}
_UNUSED: Any = None
APP = create_app(_UNUSED, _UNUSED, _UNUSED)  # nobody calls it
DOCUMENT = openapi(APP, ROUTES)
OPERATIONS: dict[str, Any] = {
    operation["operationId"]: operation for path in DOCUMENT["paths"].values() for operation in path.values()
}


def test_every_route_is_described_and_no_other() -> None:
    assert set(OPERATIONS) == {name for name in ROUTES if not is_page(name)}
    assert set(APP.view_functions) == set(ROUTES)


def test_a_route_that_nobody_describes_is_missed() -> None:
    app = create_app(_UNUSED, _UNUSED, _UNUSED)
    app.add_url_rule("/surprise", "surprise.one", lambda: "!")
    assert "/surprise" not in openapi(app, ROUTES)["paths"]
    assert description_of(app.view_functions["surprise.one"]) is None


def test_anyone_may_read_it(client: Client) -> None:
    answer = client.get("/openapi.json", headers=STRANGER)
    assert got(answer) == DOCUMENT
    assert client.get("/openapi.json").content == answer.content


@pytest.mark.parametrize("endpoint", sorted(OPERATIONS))
def test_an_operation_says_what_it_is_and_for_whom(endpoint: str) -> None:
    operation = OPERATIONS[endpoint]
    assert operation["summary"]
    said = re.search(r"^Roles: (.+)$", operation["description"], flags=re.MULTILINE)
    assert said is not None
    assert set(said[1].split(", ")) == set(ROUTES[endpoint])
    needs_none = not operation["security"] or {} in operation["security"]
    assert needs_none == (Role.ANYONE in ROUTES[endpoint])


def test_every_tag_is_explained() -> None:
    explained = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}
    assert {tag for operation in OPERATIONS.values() for tag in operation["tags"]} == set(explained)
    assert all(explained.values())


def test_every_problem_has_its_place_and_no_other() -> None:
    """But for the one that a plain HTTP request gets: it reaches no route."""
    named = {
        urn.rpartition(":")[2]
        for response in DOCUMENT["components"]["responses"].values()
        for urn in response["content"][problems.MEDIA_TYPE]["schema"]["allOf"][1]["properties"]["type"][
            "enum"
        ]
    }
    unrouted = {problems.USE_HTTPS, problems.METHOD_NOT_ALLOWED}
    assert named == {each.slug for each in problems.ALL if each not in unrouted}


def test_links_lead_to_operations_and_fill_what_those_have() -> None:
    for operation in OPERATIONS.values():
        for response in operation["responses"].values():
            for link in response.get("links", {}).values():
                target = OPERATIONS[link["operationId"]]
                known = {each["name"] for each in target["parameters"] if "name" in each}
                assert set(link["parameters"]) <= known


def test_the_bounds_of_our_own_fields_are_in_it() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    batch, report, submit = schemas["Batch"]["properties"], schemas["Report"]["properties"], schemas["Submit"]
    assert (batch["jobs"]["minItems"], batch["jobs"]["maxItems"]) == (1, 10_000)
    assert report["metrics"]["maxProperties"] == 128
    assert report["metrics"]["properties"]["frames"]["type"] == ["integer", "null"]
    assert report["metrics"]["propertyNames"] == {"pattern": "^[a-z][a-z0-9_]{0,63}$"}
    assert submit["properties"]["priority"]["enum"] == ["high", "medium", "low"]
    assert "test-1080p" in submit["properties"]["scenario"]["enum"]
    assert submit["additionalProperties"] is False
    width = schemas["Parameters"]["properties"]["width"]
    assert (width["minimum"], width["maximum"], width["multipleOf"]) == (16, 7680, 2)


@pytest.mark.parametrize("schema", EXAMPLES, ids=lambda schema: schema.__name__)
def test_an_example_fits_its_schema(schema: type[Schema]) -> None:
    assert schema().validate(EXAMPLES[schema]) == {}


def test_the_page_comes_whole_from_the_master_under_a_strict_policy(client: Client) -> None:
    page = client.get("/docs", headers=STRANGER)
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert {f"/docs/{name}" for name in ASSETS} | {"/openapi.json"} == set(loaded)
    for address in loaded:
        part = client.get(address, headers=STRANGER)
        assert part.status_code == 200, address
        assert part.content


def test_the_page_has_no_other_parts(client: Client) -> None:
    for name in ("index.html", "..%2fdocs.py", "oauth2-redirect.html", "%2e%2e"):
        assert client.get(f"/docs/{name}").status_code == 404
