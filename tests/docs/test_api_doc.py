"""docs/api.md has every route with its roles, fields, problems and answers, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from marshmallow import Schema

from common import problems, schema
from common.documents import JobSchema, NodeSchema, QueueSchema, ResultSchema
from common.examples import EXAMPLES
from common.model import Job, JobStatus, NodeStatus, TokenStatus, Webhook, WebhookStatus
from master.api.described import description_of
from master.api.documents import (
    full_job_document,
    job_document,
    node_document,
    result_document,
    token_document,
    webhook_document,
)
from master.app import create_app
from master.auth import ROUTES
from master.lifecycle import audit, events
from master.service import JobView, jobs, nodes, tokens
from master.service.webhooks import WebhookView
from master.webhooks.book import Standing
from tests.api.routes import is_page, routes
from tests.core.support import OPERATOR, FakeClock, finish, make_farm, must_claim, register, submit
from tests.docs.tables import example, names, page, sections, table

_UNUSED: Any = None
APP = create_app(_UNUSED, _UNUSED, _UNUSED)  # nobody calls it
PAGE = page("api.md")
SECTIONS = {heading.strip("`"): text for heading, text in sections(PAGE).items() if heading[0] == "`"}
AUDIT = SECTIONS["GET /audit"]
ENDPOINTS = {
    f"{method} {path}": endpoint for endpoint, (method, path) in routes().items() if not is_page(endpoint)
}
SCHEMAS: dict[str, Schema] = {
    "POST /nodes/register": schema.RegisterSchema(),
    "POST /nodes/{id}/heartbeat": schema.HeartbeatSchema(),
    "POST /nodes/{id}/leave": schema.LeaveSchema(),
    "POST /nodes/{id}/credential": schema.CredentialSchema(),
    "POST /tokens": schema.TokenSchema(),
    "POST /webhooks": schema.WebhookSchema(),
    "POST /webhooks/{id}/rotate": schema.RotateSchema(),
    "POST /webhooks/{id}/replay": schema.ReplaySchema(),
    "POST /jobs/batch": schema.BatchSchema(),
    "POST /jobs": schema.SubmitSchema(),
    "POST /jobs/{id}/progress": schema.ProgressSchema(),
    "POST /jobs/{id}/release": schema.ReleaseSchema(),
    "POST /results": schema.ReportSchema(),
    "POST /results/batch": schema.ReportsSchema(),
    "POST /files": schema.FileSchema(),
}


def test_the_page_has_every_route_and_no_other() -> None:
    assert set(SECTIONS) == set(ENDPOINTS)


@pytest.mark.parametrize("route", SECTIONS)
def test_the_roles_are_those_of_the_code(route: str) -> None:
    said = re.search(r"^Roles: (.+)$", SECTIONS[route], flags=re.MULTILINE)
    assert said is not None
    assert set(said[1].split(", ")) == set(ROUTES[ENDPOINTS[route]])


@pytest.mark.parametrize("route", SECTIONS)
def test_the_fields_are_those_of_the_schema(route: str) -> None:
    wanted = list(SCHEMAS[route].fields) if route in SCHEMAS else []
    assert sorted(names(table(SECTIONS[route], "field"))) == sorted(wanted)


def test_the_parameters_are_those_of_the_schema() -> None:
    rows = table(SECTIONS["POST /jobs"], "parameter")
    assert names(rows) == list(schema.ParametersSchema().fields)
    assert explained(rows) == in_openapi(schema.ParametersSchema())


@pytest.mark.parametrize("route", SCHEMAS)
def test_a_field_is_explained_in_the_words_of_the_openapi_document(route: str) -> None:
    assert explained(table(SECTIONS[route], "field")) == in_openapi(SCHEMAS[route])


def explained(rows: list[list[str]]) -> dict[str, str]:
    return {name: row[1] for name, row in zip(names(rows), rows, strict=True)}


def in_openapi(taken: Schema) -> dict[str, str]:
    return {name: field.metadata["description"] for name, field in taken.fields.items()}


@pytest.mark.parametrize("route", SECTIONS)
def test_the_problems_and_the_body_are_those_of_the_description(route: str) -> None:
    described = description_of(APP.view_functions[ENDPOINTS[route]])
    assert described is not None
    text = re.search(r"^Problems: ((?:.+\n?)+)", SECTIONS[route], flags=re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", text[1])) - {"nearest"} if text is not None else set()
    anywhere = {problems.UNAUTHENTICATED, problems.FORBIDDEN, problems.INTERNAL, problems.NOT_FOUND}
    slugs = {each.slug for each in anywhere}
    assert named - slugs == {each.slug for each in described.problems} - slugs
    assert described.takes is (type(SCHEMAS[route]) if route in SCHEMAS else None)


@pytest.mark.parametrize(
    ("route", "answered"),
    [
        ("GET /jobs", JobSchema),
        ("GET /nodes/{id}", NodeSchema),
        ("GET /jobs/{id}/result", ResultSchema),
        ("GET /queue", QueueSchema),
    ],
)
def test_the_example_is_that_of_the_openapi_document(route: str, answered: type[Schema]) -> None:
    assert example(SECTIONS[route]) == EXAMPLES[answered]


def test_every_problem_is_named_and_no_other() -> None:
    known = {each.slug for each in problems.ALL}
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert known <= named
    for text in SECTIONS.values():
        said = re.search(r"^Problems: ((?:.+\n?)+)", text, flags=re.MULTILINE)
        if said is not None:
            assert set(re.findall(r"`(\w+)`", said[1])) - {"nearest"} <= known


def test_every_status_is_named() -> None:
    for status in JobStatus:
        assert f"`{status}`" in SECTIONS["GET /jobs"]
    for node_status in NodeStatus:
        assert f"`{node_status}`" in SECTIONS["GET /nodes/{id}"]
    for token_status in TokenStatus:
        assert f"`{token_status}`" in SECTIONS["GET /tokens"]
    for webhook_status in WebhookStatus:
        assert f"`{webhook_status}`" in SECTIONS["GET /webhooks"]


@pytest.fixture
def documents(tmp_path: Path) -> dict[str, Any]:
    """What the code answers, by route."""
    farm = make_farm(tmp_path, FakeClock())
    pending = jobs.get(farm, OPERATOR, submit(farm, "1080p-h264"))
    node_id = register(farm)
    claimed = must_claim(farm, node_id)
    finish(farm, claimed)
    token, _ = tokens.create(farm, OPERATOR, schema.TokenSchema().load({}))
    webhook = Webhook("w", "chat", "https://hooks.example.com/", (), farm.clock().wall, 0)
    done: Job = jobs.get(farm, OPERATOR, claimed.job.id).job
    return {
        "GET /jobs": job_document(JobView(pending.job, pending_reason=pending.pending_reason)),
        "GET /jobs/{id}": full_job_document(JobView(done)),
        "GET /nodes/{id}": node_document(nodes.get(farm, node_id)),
        "GET /jobs/{id}/result": result_document(done),
        "GET /tokens": token_document(token, farm.clock().wall),
        "GET /webhooks": webhook_document(WebhookView(webhook, Standing(0), 1, None)),
        "GET /audit": audit.entry(1, None, events.JobSubmitted(done, done.created_at)),
    }


@pytest.mark.parametrize(
    "route",
    ["GET /jobs", "GET /nodes/{id}", "GET /jobs/{id}/result", "GET /tokens", "GET /webhooks", "GET /audit"],
)
def test_the_example_has_the_fields_of_the_answer_in_their_order(
    documents: dict[str, Any], route: str
) -> None:
    assert list(example(SECTIONS[route])) == list(documents[route])


def test_every_field_of_an_attempt_is_named(documents: dict[str, Any]) -> None:
    for field in documents["GET /jobs/{id}"]["attempts"][0]:
        assert f"`{field}`" in SECTIONS["GET /jobs/{id}"]


def test_every_event_of_the_audit_is_named_with_its_details() -> None:
    said = {event.strip("`"): set(re.findall(r"`(\w+)`", cell)) for event, cell in table(AUDIT, "event")}
    assert said == {audit.NAMES[event]: set(details) for event, details in audit.DETAILS.items()}
