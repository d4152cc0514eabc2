"""What is no request, or could be read in two ways, is refused in clear words, and nothing is done."""

from __future__ import annotations

import json

import pytest

from tests.serving.conftest import Server, read_all

HOST = b"Host: localhost\r\n"
POST = b"POST /echo HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
LAST = b"0\r\n\r\n"
"""The last chunk."""
HIDDEN = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
"""A request that somebody in front might have taken for the body of the first."""

BROKEN: dict[str, bytes] = {
    "HTTP/0.9": b"GET /echo\r\n",
    "HTTP/2 without negotiation": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "an unknown version": b"GET /echo HTTP/3.1\r\n" + HOST + b"\r\n",
    "two blanks in the request line": b"GET  /echo HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method that is no token": b"G(T /echo HTTP/1.1\r\n" + HOST + b"\r\n",
    "a control character in the target": b"GET /echo\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "lines that end with LF": b"GET /echo HTTP/1.1\nHost: localhost\n\n",
    "one line that ends with LF": b"GET /echo HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
    "a header without a colon": b"GET /echo HTTP/1.1\r\n" + HOST + b"Nonsense\r\n\r\n",
    "a blank before the colon": POST + b"Content-Length : 2\r\n\r\n{}",
    "a folded header": b"GET /echo HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n",
    "NUL in a header": b"GET /echo HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n",
    "CR in a header": b"GET /echo HTTP/1.1\r\n" + HOST + b"X: a\rb\r\n\r\n",
    "two Hosts": b"GET /echo HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "two lengths in one": POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "a signed length": POST + b"Content-Length: +2\r\n\r\n{}",
    "a length in hexadecimal": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "a length in superscript": POST + b"Content-Length: \xb2\r\n\r\n{}",
    "a length and chunks": CHUNKED + b"Content-Length: 4\r\n\r\n" + LAST + HIDDEN,
    "chunks and a length": POST
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "chunks in HTTP/1.0": b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks within chunks": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + LAST + HIDDEN,
    "chunks that are not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n" + LAST + HIDDEN,
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n" + LAST + HIDDEN,
    "a hidden coding": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + LAST + HIDDEN,
    "a coding before a blank": POST + b"Transfer-Encoding : chunked\r\n\r\n" + LAST + HIDDEN,
    "a chunk without a size": CHUNKED + b"\r\n\r\n",
    "a chunk size that is no number": CHUNKED + b"\r\nzz\r\n\r\n",
    "a negative chunk size": CHUNKED + b"\r\n-1\r\n\r\n",
    "a chunk size with a prefix": CHUNKED + b"\r\n0x2\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than its size": CHUNKED + b"\r\n2\r\n{}xx\r\n0\r\n\r\n" + HIDDEN,
    "a chunk size that ends with LF": CHUNKED + b"\r\n2\n{}\r\n0\r\n\r\n" + HIDDEN,
    "a chunk size without end": CHUNKED + b"\r\n2;" + b"x" * 9000,
    "a forbidden trailer": CHUNKED + b"\r\n0\r\nContent-Length: 5\r\n\r\n" + HIDDEN,
    "an unknown expectation": POST + b"Expect: miracles\r\nContent-Length: 2\r\n\r\n{}",
}

TOO_MUCH: dict[str, tuple[bytes, int]] = {
    "a request line of 8 KiB": (b"GET /" + b"x" * 8200 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 431),
    "a header of 8 KiB": (b"GET /echo HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 8200 + b"\r\n\r\n", 431),
    "101 headers": (b"GET /echo HTTP/1.1\r\n" + b"X: y\r\n" * 101 + b"\r\n", 431),
    "64 KiB of headers": (b"GET /echo HTTP/1.1\r\n" + b"X: y\r\n" * 11_000, 431),
    "a body above 16 MiB": (POST + b"Content-Length: 16777217\r\n\r\n", 413),
    "a length of 30 digits": (POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", 413),
    "a chunk above 16 MiB": (CHUNKED + b"\r\n1000001\r\n", 413),
    "many small chunks": (CHUNKED + b"\r\n" + b"1\r\nx\r\n" * 1100, 400),
}


def refusal(server: Server, sent: bytes) -> tuple[int, dict[str, object]]:
    """The status and the problem that are the only answer; fails if the application was asked."""
    asked = len(server.count()["asked"])
    with server.connect_tls() as client:
        client.sendall(sent)
        answer = read_all(client)
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Type: application/problem+json" in head
    # The two questions for the count are all that came through.
    assert server.count()["asked"][asked:] == ["/count"]
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize("name", BROKEN)
def test_a_request_that_is_none_is_refused(server: Server, name: str) -> None:
    status, problem = refusal(server, BROKEN[name])
    assert (status, problem["type"]) == (400, "urn:ffrtmp:problem:invalid")
    assert str(problem["detail"]).startswith("This is not a request the master can read: ")


@pytest.mark.parametrize("name", TOO_MUCH)
def test_a_request_that_is_too_much_is_refused(server: Server, name: str) -> None:
    sent, expected = TOO_MUCH[name]
    status, problem = refusal(server, sent)
    assert (status, problem["status"]) == (expected, expected)


def test_a_request_behind_a_body_without_length_is_an_own_request(server: Server) -> None:
    """As RFC 9112, section 6.3 has it: no length and no chunks mean no body."""
    asked = len(server.count()["asked"])
    with server.connect_tls() as client:
        client.sendall(POST + b"\r\nGET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert read_all(client).count(b"HTTP/1.1 200 OK") == 2
    assert server.count()["asked"][asked:] == ["/echo", "/health", "/count"]


def test_a_body_longer_than_its_length_is_not_taken(server: Server) -> None:
    with server.connect_tls() as client:
        client.sendall(POST + b"Content-Length: 2\r\n\r\n{}garbage\r\n\r\n")
        first, second = read_all(client).split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"200 OK")
    assert b'"length": 2,' in first
    assert second.startswith(b"400 ")
