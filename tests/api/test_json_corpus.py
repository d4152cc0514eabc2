"""All that is JSON (RFC 8259) is taken, all that is not is refused with a 400, and the master works on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from common import problems, strictjson
from tests.api.corner import Corner, everything, refused, refused_fields
from tests.api.json_corpus import LEFT_OPEN, REFUSED, TAKEN, same
from tests.masters import Client

QUICK = 1.0
"""Seconds; a document of ten megabytes takes a tenth of it."""
VALID = json.dumps({"scenario": "720p-h264"}).encode()


def post(client: Client, data: bytes, content_type: str | None = "application/json") -> requests.Response:
    headers = {} if content_type is None else {"Content-Type": content_type}
    return client.post("/jobs/batch", data=data, headers=headers)


@pytest.fixture
def unchanged(corner: Corner) -> Any:
    """After the test, nothing may have changed."""
    before = everything(corner.client)
    yield
    assert everything(corner.client) == before


def test_the_corpus_is_as_large_as_is_said() -> None:
    assert len(REFUSED) >= 500
    assert len(TAKEN) >= 110


def test_what_is_not_json_is_refused_over_one_connection(client: Client, unchanged: None) -> None:
    connections = counted(client)
    for name, data in REFUSED.items():
        answer = post(client, data)
        assert answer.status_code == 400, (name, answer.text)
        refused(answer, problems.MALFORMED_JSON)
    assert connections() == 1


def test_what_is_json_is_read_and_only_its_shape_is_refused(client: Client, unchanged: None) -> None:
    connections = counted(client)
    for name, (data, _) in TAKEN.items():
        answer = post(client, data)
        assert answer.status_code == 400, (name, answer.text)
        refused_fields(answer)
    assert connections() == 1


@pytest.mark.parametrize("cases", [TAKEN, LEFT_OPEN], ids=["what every reader takes", "what is left open"])
def test_the_values_are_exact(cases: dict[str, tuple[bytes, Any]]) -> None:
    for name, (data, value) in cases.items():
        assert same(strictjson.loads(data), value), name


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 5_000_000,
        b'{"a":' * 1_000_000,
        b'[{"a":' * 1_000_000,
        b"[" * 2_000_000 + b"]" * 2_000_000,
        b"9" * 10_000_000,
        b"-" + b"9" * 10_000_000,
        b"1e" + b"9" * 10_000_000,
        b'"' + b"\\" * 9_999_999,
        b'{"a":1,' * 1_000_000,
        b" " * 10_000_000,
    ],
    ids=lambda data: repr(data[:8]),
)
def test_what_is_huge_is_refused_quickly_whatever_it_is(data: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(strictjson.StrictJSONError):
        strictjson.loads(data)
    assert time.process_time() - begun < QUICK


def test_huge_documents_are_refused_over_http_too(client: Client, unchanged: None) -> None:
    for data in (b"[" * 5_000_000, b"9" * 10_000_000, b"[" * 100_000 + b"]" * 100_000):
        refused(post(client, data), problems.MALFORMED_JSON)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'Application/JSON; charset="utf-8"',
        "application/json; charset=utf-16",
        "application/json; charset=nothing",
        "application/merge-patch+json",
    ],
)
def test_json_is_utf_8_whatever_charset_is_named(client: Client, unchanged: None, content_type: str) -> None:
    """RFC 8259, section 11: the type has no charset, and a reader is to ignore it."""
    assert "jobs" in refused_fields(post(client, '{"é":1}'.encode(), content_type))
    refused(post(client, '{"é":1}'.encode("utf-16"), content_type), problems.MALFORMED_JSON)


@pytest.mark.parametrize(
    "content_type", ["text/json", "application/jsonp", "application/x-json", "json", None]
)
def test_what_is_not_called_json_is_not_read(
    client: Client, unchanged: None, content_type: str | None
) -> None:
    refused(post(client, VALID, content_type), problems.UNSUPPORTED_MEDIA_TYPE)


@pytest.mark.parametrize("data", [b"", b" ", b"\n", b"\t\r\n "])
def test_nothing_is_no_document(client: Client, unchanged: None, data: bytes) -> None:
    refused(post(client, data), problems.MALFORMED_JSON)


def counted(client: Client) -> Callable[[], int]:
    """How many connections the client has opened from here on."""
    client.close()

    def count() -> int:
        manager = client.get_adapter("https://").poolmanager  # type: ignore[attr-defined]  # of HTTPAdapter
        return sum(manager.pools[key].num_connections for key in manager.pools.keys())  # noqa: SIM118 - no mapping

    return count
