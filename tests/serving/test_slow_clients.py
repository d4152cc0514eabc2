"""A crowd of slow clients does not slow the others down: however many they are, they hold no thread."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.masters import wait_until
from tests.serving.conftest import Server

SIZE = 200
"""Clients in a crowd; the server has 8 threads."""
HALF_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
HALF_HEAD = b"GET /health HTTP/1.1\r\nHost: loc"
POST = b"POST /echo HTTP/1.1\r\nHost: localhost\r\n"
CROWDS: dict[str, Callable[[Server], socket.socket]] = {
    "silent": lambda server: server.connect(),
    "half a hello": lambda server: saying(server.connect(), HALF_HELLO),
    "half a plain head": lambda server: saying(server.connect(), HALF_HEAD),
    "half a head": lambda server: saying(server.connect_tls(), HALF_HEAD),
    "half a small body": lambda server: saying(server.connect_tls(), POST + b"Content-Length: 100\r\n\r\n{"),
    "half a large body": lambda server: saying(
        server.connect_tls(), POST + b"Content-Length: 9000000\r\n\r\n{"
    ),
    "half a chunk": lambda server: saying(
        server.connect_tls(), POST + b"Transfer-Encoding: chunked\r\n\r\nfff\r\n{"
    ),
    "reading slowly": lambda server: saying(server.connect_tls(room=4096), get("/pieces")),
    "reading one piece slowly": lambda server: saying(server.connect_tls(room=4096), get("/large")),
    "not reading a stream": lambda server: saying(server.connect_tls(room=4096), get("/endless")),
    "hearing a stream": lambda server: saying(server.connect_tls(), get("/stream")),
    "idle": lambda server: saying(server.connect_tls(), get("/health")),
}
ENDED_BY_DEADLINE = [name for name in CROWDS if name not in ("idle", "hearing a stream")]


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def saying(client: socket.socket, what: bytes) -> socket.socket:
    client.sendall(what)
    return client


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that waits 1 s for a handshake and 1.5 s for a request or for an answer to be taken."""
    running = Server(tmp_path_factory.mktemp("state"), haste=20)
    try:
        yield running.ready()
    finally:
        running.stop()


@pytest.mark.parametrize("kind", CROWDS)
def test_a_crowd_does_not_stop_eight_threads(server: Server, kind: str) -> None:
    with ExitStack() as crowd:
        for _ in range(SIZE):
            crowd.enter_context(CROWDS[kind](server))
        times = []
        for _ in range(10):
            begun = time.monotonic()
            assert server.healthy(timeout=2)
            times.append(time.monotonic() - begun)
        assert statistics.median(times) < 0.5
    wait_until(lambda: server.count()["connections"] == 1, "the crowd is forgotten when it leaves")


@pytest.mark.parametrize("kind", ENDED_BY_DEADLINE)
def test_a_crowd_is_ended_by_its_deadline(hasty: Server, kind: str) -> None:
    with ExitStack() as crowd:
        for _ in range(SIZE):
            crowd.enter_context(CROWDS[kind](hasty))
        wait_until(lambda: hasty.count()["connections"] == 1, "only the asking connection is left")


def test_an_answer_in_pieces_is_made_no_faster_than_it_is_taken(server: Server) -> None:
    before = server.count()["made"]
    with server.connect_tls(room=4096) as client:
        client.sendall(get("/pieces"))
        assert client.recv(100)
        wait_until(lambda: server.count()["made"] > before, "it has begun")
        assert server.count()["made"] - before < 2**20
        client.settimeout(30)
        received = 100
        while received < 4 * 2**20:
            received += len(client.recv(65536))
    assert server.count()["made"] - before == 4 * 2**20


def test_idle_connections_need_no_thread(server: Server) -> None:
    sessions = [server.session() for _ in range(30)]
    for _ in range(2):
        for session in sessions:
            assert session.get(server.url + "/health", timeout=2).ok
    for session in sessions:
        session.close()


def test_clients_that_do_not_close_delay_nobody(server: Server) -> None:
    with ExitStack() as crowd:
        for _ in range(20):
            client = crowd.enter_context(server.connect_tls())
            client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
        begun = time.monotonic()
        assert server.healthy()
        assert time.monotonic() - begun < 1


def test_past_the_limit_the_longest_silent_client_makes_room(launch: Callable[..., Server]) -> None:
    server = launch(files=600).ready()
    with ExitStack() as crowd:
        first = crowd.enter_context(server.connect())
        for _ in range(500):
            crowd.enter_context(server.connect())
        assert server.healthy()
        begun = time.monotonic()
        assert first.recv(1) == b""
        assert time.monotonic() - begun < 5
    wait_until(server.healthy, "the server answers")
