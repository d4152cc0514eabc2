"""`/tokens` makes, lists and ends tokens; who shows one that ended is told so, and nobody else is."""

from __future__ import annotations

import json
import socket
import ssl
import uuid
from contextlib import suppress
from typing import Any

import pytest
from cryptography import x509
from requests import Response

from common import problems
from common.tokens import parse
from common.trust import fingerprint
from tests.api.corner import TIMESTAMP, Corner, got, refused, refused_fields
from tests.masters import Client, Master, wait_until


def create(client: Client, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = got(client.post("/tokens", json=fields), 201)
    return made


def listed(client: Client, token_id: str) -> dict[str, Any]:
    tokens: list[dict[str, Any]] = got(client.get("/tokens"))["tokens"]
    return next(token for token in tokens if token["id"] == token_id)


def test_one_is_made_told_once_and_listed_without_its_secret(master: Master, client: Client) -> None:
    answer = client.post("/tokens", json={"role": "viewer", "name": "wall-display", "ttl": 3600})
    assert answer.headers["Cache-Control"] == "no-store"
    made = got(answer, 201)
    text = made.pop("token")
    uuid.UUID(made["id"])
    assert (made["role"], made["name"], made["status"]) == ("viewer", "wall-display", "active")
    assert TIMESTAMP.fullmatch(made["expires_at"])
    assert listed(client, made["id"]) == made
    parts = parse(text)
    assert parts.fingerprint == fingerprint(x509.load_pem_x509_certificate(master.ca.read_bytes()))
    assert parts.secret not in client.get("/tokens").text
    assert parts.secret not in master.log.read_text()


def test_without_a_body_it_is_one_to_join(client: Client) -> None:
    made = got(client.post("/tokens"), 201)
    assert (made["role"], made["uses_left"]) == ("join", 1)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"role": "node"}, "role"),
        ({"role": "viewer", "uses": 3}, "uses"),
        ({"name": "operator"}, "name"),
        ({"name": "node:1"}, "name"),
        ({"ttl": "1d"}, "ttl"),
        ({"ttl": -1}, "ttl"),
        ({"uses": 0}, "uses"),
        ({"secret": "mine"}, "secret"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named(client: Client, fields: dict[str, Any], named: str) -> None:
    assert refused_fields(client.post("/tokens", json=fields)) == [named]


def test_all_of_it_or_its_secret_part_may_be_shown(master: Master, client: Client) -> None:
    text = create(client, role="viewer")["token"]
    for shown in (text, parse(text).secret):
        with master.client(shown) as viewer:
            got(viewer.get("/nodes"))


def test_an_operators_token_makes_an_operator_with_a_name(master: Master, client: Client) -> None:
    with master.client(create(client, role="operator", name="carol")["token"]) as carol:
        got(carol.post("/queue/resume"))
        got(carol.get("/tokens"))


def test_one_that_is_revoked_stops_at_once_and_says_so_each_time(master: Master, client: Client) -> None:
    made = create(client, role="viewer")
    with master.client(made["token"]) as viewer:
        got(viewer.get("/nodes"))
        for _ in range(2):
            assert client.delete(f"/tokens/{made['id']}").status_code == 204
        body = refused(viewer.get("/nodes"), problems.TOKEN_REVOKED)
        assert "ffrtmp tokens create --role viewer" in body["detail"]
    assert listed(client, made["id"])["status"] == "revoked"


def test_one_that_has_expired_says_so(master: Master, client: Client) -> None:
    made = create(client, role="viewer", ttl=1)
    wait_until(lambda: listed(client, made["id"])["status"] == "expired", "it expires")
    with master.client(made["token"]) as viewer:
        refused(viewer.get("/nodes"), problems.TOKEN_EXPIRED)


def test_an_unknown_one_cannot_be_revoked(client: Client) -> None:
    refused(client.delete("/tokens/none"), problems.UNKNOWN_TOKEN)


def test_a_node_that_joined_is_listed_as_available_and_its_token_as_used_up(
    master: Master, corner: Corner
) -> None:
    made = create(corner.client)
    sent = {"address": "joined", "run_unlabeled": False, "credential": str(uuid.uuid4())}
    with master.client(made["token"]) as joiner:
        joiner.headers["Via"] = "1.1 proxy"
        node = got(joiner.post("/nodes/register", json=sent), 201)
        again = got(joiner.post("/nodes/register", json={**sent, "id": node["id"]}), 201)
        assert (node["status"], again["status"]) == ("available", "available")
        stranger = {"address": "next", "credential": str(uuid.uuid4())}
        refused(joiner.post("/nodes/register", json=stranger), problems.TOKEN_USED_UP)
        refused(joiner.get("/nodes"), problems.TOKEN_USED_UP)
    assert listed(corner.client, made["id"])["status"] == "used_up"


def said(answer: Response) -> str:
    """All of a refusal but the id of its request."""
    problem = refused(answer, problems.UNAUTHENTICATED)
    return json.dumps({name: value for name, value in problem.items() if name != "request_id"})


def test_nothing_tells_a_wrong_secret_from_a_missing_one(master: Master, client: Client) -> None:
    """Also one that differs from a real one in its last letter, and a part of a real one."""
    real = create(client, role="viewer")["token"]
    other = "A" if real[-1] != "A" else "B"
    answers = set()
    for shown in (
        real[:-1] + other,
        real[:-1],
        real[:20],
        real.upper(),
        parse(real).secret[1:],
        "x",
        "x" * 8000,
    ):
        with master.client(shown) as nobody:
            answer = nobody.get("/nodes")
            answers.add(said(answer))
    assert len(answers) == 1


def test_at_registration_the_answer_is_the_same(master: Master, client: Client) -> None:
    sent = {"address": "far", "credential": "c" * 43}
    with master.client("x" * 43) as nobody:
        at_work, at_the_door = nobody.get("/nodes"), nobody.post("/nodes/register", json=sent)
    assert said(at_work) == said(at_the_door)


@pytest.mark.parametrize("size", [9_000, 1_000_000])
def test_a_header_that_is_too_long_is_refused_in_clear_words(master: Master, size: int) -> None:
    context = ssl.create_default_context(cafile=str(master.ca))
    request = f"GET /nodes HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {'x' * size}\r\n\r\n"
    with (
        socket.create_connection(("127.0.0.1", master.port), 20) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as tunnel,
    ):
        with suppress(OSError):  # it may have answered, and closed, before all of it came
            tunnel.sendall(request.encode())
        answer = tunnel.recv(65536)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"head is too large" in answer
