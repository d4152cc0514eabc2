"""No body, whatever is in it, gets more than a refusal out of a POST: never a 5xx, never a change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from common import problems
from common.problems import ProblemType
from tests.api.corner import Corner, everything, got, refused, refused_fields
from tests.api.routes import api_routes
from tests.masters import Client

Body = Callable[[dict[str, Any]], bytes]

POSTS = {name: path for name, (method, path) in api_routes().items() if method == "POST"}


def raw(text: str) -> Body:
    return lambda _: text.encode()


def inserted(text: str) -> Body:
    """What would be taken, with something in front."""

    def body(valid: dict[str, Any]) -> bytes:
        rest = json.dumps(valid)[1:]
        return ("{" + text + (", " if valid else "") + rest).encode()

    return body


MALFORMED: dict[str, Body] = {
    "not JSON": raw("{scenario: 1080p}"),
    "cut off": lambda valid: json.dumps({**valid, "x": 1}).encode()[:-1],
    "two documents": lambda valid: json.dumps(valid).encode() * 2,
    "only blanks": raw("  "),
    "NaN": inserted('"x": NaN'),
    "Infinity": inserted('"x": -Infinity'),
    "a key twice": inserted('"x": 1, "x": 1'),
    "half a surrogate pair": inserted(r'"x": "\ud83d"'),
    "half a surrogate pair in a key": inserted(r'"\udc00": 1'),
    "not UTF-8": lambda _: b'{"x": "\xff"}',
    "UTF-16": lambda valid: json.dumps(valid).encode("utf-16"),
    "deep nesting": raw('{"x":' * 10_000 + "1" + "}" * 10_000),
    "deep nesting of lists": raw("[" * 60_000),
    "nesting just too deep": inserted('"x": ' + "[" * 40 + "]" * 40),
    "a huge integer": inserted('"x": ' + "9" * 50_000),
    "an integer of 65 bits": inserted('"x": 18446744073709551616'),
    "a huge float": inserted('"x": 1e999'),
}
INVALID: dict[str, Body] = {
    "a list": raw("[]"),
    "a list of objects": lambda valid: json.dumps([valid]).encode(),
    "null": raw("null"),
    "a string": raw('"{}"'),
    "a number": raw("5"),
    "true": raw("true"),
    "an unknown field": inserted('"surprise": 1'),
    "an empty name": inserted('"": 1'),
    "a NUL": inserted(r'"x": "\u0000"'),
    "a NUL in a name": inserted(r'"a\u0000b": 1'),
}
WRONG_TYPE: dict[str, dict[str, Any]] = {
    "nodes.register": {"cpu_threads": "8", "ram_bytes": "1", "max_concurrent_jobs": "1", "address": 1},
    "nodes.heartbeat": {"leases": "5", "stopping": "yes"},
    "nodes.replace_credential": {"credential": 5},
    "tokens.create": {"role": 1, "name": 2, "ttl": "1d", "uses": "1"},
    "webhooks.create": {"url": 5, "name": 1, "events": "job_failed"},
    "webhooks.rotate": {"overlap": "1d"},
    "webhooks.replay": {"since_seq": "1", "since": 5, "delivery_id": "7"},
    "jobs.submit": {"scenario": 5, "parameters": "none", "priority": 1, "constraints": []},
    "work.progress": {"frame": "5", "fps": "1", "percent": "50", "node_id": 1, "lease_id": 2, "log": "x"},
    "work.release": {"node_id": 1, "lease_id": 2},
    "work.report_batch": {"reports": "all"},
    "work.report": {"attempt": "1", "job_id": 1, "node_id": 2, "metrics": [], "status": 1, "log": "x"},
}
"""For each route that takes fields: values of another type than the field's."""


class Target:
    """A route with an address and a body that it would take now."""

    def __init__(self, endpoint: str, corner: Corner) -> None:
        node, claimed = corner.start()
        lease = {"node_id": node["id"], "lease_id": claimed["lease_id"]}
        kind = endpoint.partition(".")[0]
        ids = {"nodes": node["id"], "webhooks": _webhook(corner) if kind == "webhooks" else ""}
        self.path = POSTS[endpoint].replace("{id}", ids.get(kind, claimed["id"]))
        bodies: dict[str, dict[str, Any]] = {
            "nodes.register": {"address": "worker"},
            "nodes.replace_credential": {"credential": "c" * 43},
            "webhooks.create": {"url": "https://hooks.invalid/"},
            "webhooks.replay": {"since_seq": 1},
            "jobs.submit": {"scenario": "720p-h264"},
            "jobs.submit_batch": {"jobs": [{"scenario": "720p-h264"}]},
            "work.progress": lease,
            "work.release": lease,
            "work.report": {**lease, "job_id": claimed["id"]},
            "work.report_batch": {"reports": [{**lease, "job_id": claimed["id"]}]},
        }
        self.valid = bodies.get(endpoint, {})
        self.client = corner.client

    def post(self, data: Any, content_type: str | None = "application/json") -> Any:
        headers = {} if content_type is None else {"Content-Type": content_type}
        return self.client.post(self.path, data=data, headers=headers)


def _webhook(corner: Corner) -> str:
    """One for all tests: there may not be many."""
    known = got(corner.client.get("/webhooks"))["webhooks"]
    sent = {"url": "https://hooks.invalid/"}
    return str((known[0] if known else got(corner.client.post("/webhooks", json=sent), 201))["id"])


@pytest.fixture(params=sorted(POSTS))
def endpoint(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def target(endpoint: str, corner: Corner) -> Iterator[Target]:
    """After the test, nothing may have changed."""
    target = Target(endpoint, corner)
    before = everything(corner.client)
    yield target
    assert everything(corner.client) == before


def test_what_is_not_json_is_refused(target: Target) -> None:
    for name, body in MALFORMED.items():
        refused(target.post(body(target.valid)), problems.MALFORMED_JSON)
        assert name


def test_json_of_another_shape_is_refused(target: Target) -> None:
    for body in INVALID.values():
        refused_fields(target.post(body(target.valid)))


def test_a_value_of_another_type_is_refused_by_its_name(target: Target, endpoint: str) -> None:
    for field, value in WRONG_TYPE.get(endpoint, {"force": "1"}).items():
        answer = target.post(json.dumps({**target.valid, field: value}))
        assert field in refused_fields(answer)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", None],
)
def test_a_body_that_is_not_called_json_is_refused(target: Target, content_type: str | None) -> None:
    data = json.dumps(target.valid or {"x": 1}).encode()
    refused(target.post(data, content_type), problems.UNSUPPORTED_MEDIA_TYPE)


def test_a_body_that_is_far_too_large_is_refused_also_without_a_length(target: Target) -> None:
    blocks = [b" " * 500_000] * (35 if target.path.endswith("/batch") else 10)
    refused(target.post(b"".join(blocks)), problems.TOO_LARGE)
    refused(target.post(iter(blocks)), problems.TOO_LARGE)


@pytest.mark.parametrize(
    "endpoint",
    sorted(set(POSTS) - {"work.progress", "work.report", "work.report_batch", "jobs.submit_batch"}),
)
def test_a_body_that_comes_without_a_log_is_kept_smaller(target: Target, endpoint: str) -> None:
    refused(target.post(b" " * 70_000), problems.TOO_LARGE)


UNKNOWN: dict[str, ProblemType] = {
    "nodes": problems.UNKNOWN_NODE,
    "jobs": problems.UNKNOWN_JOB,
    "webhooks": problems.UNKNOWN_WEBHOOK,
}


@pytest.mark.parametrize("endpoint", sorted(name for name, path in POSTS.items() if "{id}" in path))
@pytest.mark.parametrize(
    "unknown", ["nothing", "00000000-0000-4000-8000-000000000000", "a'b\"c", "%F0%9F%8E%AC", "%00", "%FF"]
)
def test_an_unknown_id_is_refused(target: Target, endpoint: str, unknown: str) -> None:
    path = POSTS[endpoint].replace("{id}", unknown)
    answer = target.client.post(path, json=target.valid)
    refused(answer, UNKNOWN[path.split("/")[1]])


def test_an_empty_body_is_refused_where_fields_are_needed(corner: Corner) -> None:
    for endpoint in ("nodes.register", "jobs.submit", "work.report", "work.progress", "work.release"):
        path = Target(endpoint, corner).path
        before = everything(corner.client)
        assert 400 <= corner.client.post(path).status_code < 500
        assert everything(corner.client) == before


@pytest.mark.parametrize(
    "path",
    ["/jobs/%2e%2e/%2e%2e/etc/passwd", "/nodes/..%2f..%2f", "/%00", "//jobs//x", "/jobs/" + "x" * 4000],
)
def test_an_address_that_is_none_is_not_found(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == problems.MEDIA_TYPE


def test_the_master_still_works_after_all_of_it(corner: Corner) -> None:
    _, claimed = corner.start()
    got(corner.report(claimed))
