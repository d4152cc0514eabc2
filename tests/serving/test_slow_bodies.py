"""A request that comes too slowly is not called wrong: the answer says to send it again."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.serving.conftest import Server, read_all

POST = b"POST /echo HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that waits 0.6 s for a request."""
    running = Server(tmp_path_factory.mktemp("state"), haste=50)
    try:
        yield running.ready()
    finally:
        running.stop()


@pytest.mark.parametrize(
    "beginning",
    [
        POST,
        POST + b"Content-Length: 100\r\n\r\n{",
        POST + b"Content-Length: 100000\r\n\r\n{",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" + POST,
    ],
    ids=["head", "small body", "large body", "chunks", "second request"],
)
def test_the_answer_is_408_and_too_slow(hasty: Server, beginning: bytes) -> None:
    with hasty.connect_tls() as client:
        client.sendall(beginning)
        answer = b"HTTP/1.1 " + read_all(client).rpartition(b"HTTP/1.1 ")[2]
    assert answer.startswith(b"HTTP/1.1 408 ")
    problem = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (problem["type"], problem["status"]) == ("urn:ffrtmp:problem:too_slow", 408)
    assert problem["detail"] == "The request came too slowly; send it again."


def test_a_connection_on_which_nothing_was_asked_ends_without_an_answer(hasty: Server) -> None:
    with hasty.connect_tls() as client:
        assert read_all(client) == b""


def test_a_large_body_may_take_its_time_while_it_comes(hasty: Server) -> None:
    """256 KiB in pieces with 0.1 s between them: 1.6 s, where the whole request had 0.6 s."""
    piece, count = 16 * 1024, 16
    with hasty.connect_tls() as client:
        client.sendall(POST + f"Connection: close\r\nContent-Length: {piece * count}\r\n\r\n".encode())
        client.settimeout(0.1)
        for _ in range(count):
            with pytest.raises(TimeoutError):
                client.recv(1)
            client.sendall(b"x" * piece)
        client.settimeout(10)
        assert b'"length": 262144,' in read_all(client)
