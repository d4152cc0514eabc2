"""Plain HTTP on the TLS port is told where to go, at once; anything else is just closed."""

from __future__ import annotations

import json

import pytest
import requests

from master.worker.plain import NotHttpError, answer_plain
from tests.serving.conftest import Server, read_all

LOCAL = ("192.0.2.1", 8080)
ID = "made-by-the-caller"


def plain(server: Server, method: str, path: str, data: bytes | None = None) -> requests.Response:
    return requests.request(
        method, f"http://localhost:{server.port}{path}", allow_redirects=False, timeout=5, data=data
    )


def answered(head: bytes) -> str:
    answer = answer_plain(head, LOCAL, ID)
    assert answer is not None
    return answer.partition(b"\r\n\r\n")[0].decode()


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_plain_request_gets_308_and_an_explanation(server: Server, method: str) -> None:
    answer = plain(server, method, "/jobs?status=failed")
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"https://localhost:{server.port}/jobs?status=failed"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Connection"] == "close"
    assert answer.json()["type"] == "urn:ffrtmp:problem:use_https"
    assert f"curl -k https://localhost:{server.port}/health" in answer.json()["detail"]


def test_a_plain_post_with_a_large_body_gets_its_answer(server: Server) -> None:
    assert plain(server, "POST", "/jobs", data=b"x" * 10_000_000).status_code == 308


def test_a_plain_head_gets_no_body(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_all(client).endswith(b"\r\n\r\n")


def test_the_body_of_a_plain_request_is_not_waited_for(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        client.settimeout(2)
        assert client.recv(4096).startswith(b"HTTP/1.1 308")


def test_without_a_host_the_local_address_is_named(server: Server) -> None:
    with server.connect() as client:
        client.sendall(b"GET /health HTTP/1.0\n\n")
        assert f"Location: https://127.0.0.1:{server.port}/health\r\n".encode() in read_all(client)


@pytest.mark.parametrize(
    "garbage", [b"\x00\x01\x02", b"hello\r\n\r\n", b"GET\r\n", b"SSH-2.0-x\r\n", b"\r\n"]
)
def test_garbage_is_closed_without_an_answer(server: Server, garbage: bytes) -> None:
    with server.connect() as client:
        client.sendall(garbage)
        client.settimeout(2)
        assert read_all(client) == b""


@pytest.mark.parametrize(
    "host",
    ["evil.example/x", "a b", "a\rX-Injected: 1", "user@host", "host:port", "[::1", "h\x00st", "<script>"],
)
def test_a_host_that_is_none_is_not_repeated(host: str) -> None:
    head = f"GET /jobs HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1")
    assert "Location: https://192.0.2.1:8080/jobs\r\n" in answered(head)


def test_two_hosts_are_not_chosen_from() -> None:
    assert "https://192.0.2.1:8080/" in answered(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")


def test_a_path_cannot_add_a_header() -> None:
    with pytest.raises(NotHttpError):
        answer_plain(b"GET /a\rSet-Cookie:x HTTP/1.1\r\nHost: a\r\n\r\n", LOCAL, ID)


def test_a_path_that_looks_like_a_host_stays_a_path() -> None:
    assert "Location: https://h:1//evil.example/\r\n" in answered(
        b"GET //evil.example/ HTTP/1.1\r\nHost: h:1\r\n\r\n"
    )


def test_a_whole_url_is_reduced_to_its_path() -> None:
    assert "Location: https://h/a?b\r\n" in answered(b"GET http://evil/a?b HTTP/1.1\r\nHost: h\r\n\r\n")


def test_an_ipv6_address_is_bracketed() -> None:
    answer = answer_plain(b"GET / HTTP/1.0\r\n\r\n", ("2001:db8::1", 8080, 0, 0), ID)
    assert answer is not None
    assert b"Location: https://[2001:db8::1]:8080/\r\n" in answer


def test_a_head_larger_than_8_kb_is_not_read_on() -> None:
    assert answer_plain(b"GET / HTTP/1.1\r\nX: ", LOCAL, ID) is None
    with pytest.raises(NotHttpError):
        answer_plain(b"GET / HTTP/1.1\r\nX: " + b"x" * 8192, LOCAL, ID)


def test_the_explanation_is_a_json_problem() -> None:
    answer = answer_plain(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", LOCAL, ID)
    assert answer is not None
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 308
