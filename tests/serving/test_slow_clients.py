"""A crowd of silent and half-speaking clients does not slow the others down: they hold no thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.masters import wait_until
from tests.serving.conftest import Server

HALF_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
HALF_HEAD = b"GET /health HTTP/1.1\r\nHost: loc"
HALF_BODY = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"


def test_a_crowd_of_slow_clients_does_not_stop_eight_threads(server: Server) -> None:
    with ExitStack() as crowd:
        for _ in range(200):
            crowd.enter_context(server.connect())
        for _ in range(50):
            crowd.enter_context(server.connect()).sendall(HALF_HELLO)
            crowd.enter_context(server.connect()).sendall(HALF_HEAD)
            crowd.enter_context(server.connect_tls()).sendall(HALF_HEAD)
            crowd.enter_context(server.connect_tls()).sendall(HALF_BODY)
        times = []
        for _ in range(20):
            begun = time.monotonic()
            assert server.healthy(timeout=2)
            times.append(time.monotonic() - begun)
        assert sorted(times)[10] < 0.5


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


@pytest.mark.parametrize("beginning", [b"", HALF_HELLO, HALF_HEAD])
def test_the_crowd_is_forgotten_when_it_leaves(server: Server, beginning: bytes) -> None:
    with ExitStack() as crowd:
        for _ in range(20):
            crowd.enter_context(server.connect()).sendall(beginning)
    wait_until(lambda: server.count()["connections"] == 1, "only the asking connection is left")
