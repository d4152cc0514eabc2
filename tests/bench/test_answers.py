"""The load generator takes an answer for whole when it is, and a refusal for no answer."""

from __future__ import annotations

import pytest

from bench.load import Answer, RefusedError, parsed, request

WHOLE = b"HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\ncontent-length: 5\r\nX: y\r\n\r\nhello"


def test_an_answer_is_whole_with_its_last_byte_and_not_before() -> None:
    assert [parsed(WHOLE[:end]) for end in range(len(WHOLE))] == [None] * len(WHOLE)
    assert parsed(WHOLE) == Answer(201, b"hello")


def test_an_answer_without_a_length_has_no_body() -> None:
    assert parsed(b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n") == Answer(204, b"")


def test_a_refusal_stops_the_measurement_with_what_was_said() -> None:
    with pytest.raises(RefusedError, match="answered 409: stale"):
        parsed(b"HTTP/1.1 409 Conflict\r\nContent-Length: 5\r\n\r\nstale")


def test_a_request_has_what_a_server_needs() -> None:
    assert request("GET", "/health") == b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert request("POST", "/jobs", b"{}", "secret", close=True) == (
        b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    )
