"""`GET /health` answers the guide's line, to anyone."""

from __future__ import annotations

from tests.masters import Client, Master


def test_health_is_exactly_the_guides_line(client: Client) -> None:
    answer = client.get("/health")
    assert answer.content == b'{"status":"healthy"}'
    assert answer.headers["Content-Type"] == "application/json"


def test_health_is_told_to_callers_that_are_not_known(master: Master, client: Client) -> None:
    answer = client.get("/health", headers={"Via": "1.1 proxy"})
    assert answer.content == b'{"status":"healthy"}'


def test_health_answers_head_without_a_body(client: Client) -> None:
    answer = client.head("/health")
    assert (answer.status_code, answer.content) == (200, b"")
