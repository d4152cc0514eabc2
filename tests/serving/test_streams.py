"""A stream holds a thread only while it says something, and a reader that does not read is dropped."""

from __future__ import annotations

import signal
import ssl
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.masters import wait_until
from tests.serving.conftest import Server, read_all, receive
from tests.serving.farm import PIECE

CROWD = 300
END = b"0\r\n\r\n"
"""The last chunk: the answer is whole (RFC 9112, section 7.1)."""


def listen(server: Server, path: str = "/stream", room: int | None = None) -> ssl.SSLSocket:
    client = server.connect_tls(room=room)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return client


@pytest.fixture
def hasty(launch: Callable[..., Server]) -> Server:
    """Its streams say after 0.75 s that they live; 1.5 s are given to take what is ready."""
    server: Server = launch(haste=20)
    return server.ready()


def threads_of(server: Server) -> int:
    """Of the process that serves."""
    pid = server.count()["pid"]
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def test_the_head_comes_before_there_is_anything_to_say(server: Server) -> None:
    with listen(server) as client:
        assert receive(client, b"\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")


def test_more_streams_than_threads_all_hear_what_is_said_once(server: Server) -> None:
    """The server has 8 threads."""
    with ExitStack() as crowd:
        clients = [crowd.enter_context(listen(server)) for _ in range(CROWD)]
        for client in clients:
            receive(client, b"\r\n\r\n")
        assert threads_of(server) < 30
        wait_until(lambda: server.count()["busy"] == 0, "no thread is wanted")
        for _ in range(3):
            assert server.get("/ring").ok
            for client in clients:
                assert receive(client, b"r\r\n") == b"1\r\nr\r\n"
        assert server.count()["streams"] == CROWD
    wait_until(lambda: server.count()["streams"] == 0, "the server notices that they have gone")


def test_a_silent_stream_says_that_it_lives(hasty: Server) -> None:
    with listen(hasty) as client:
        receive(client, b"\r\n\r\n")
        assert receive(client, b"1\r\n.\r\n1\r\n.\r\n") == b"1\r\n.\r\n1\r\n.\r\n"


def test_who_reads_gets_all_and_who_does_not_is_dropped(hasty: Server) -> None:
    before = hasty.count()["made"]
    with listen(hasty, "/endless", room=4096) as lazy, listen(hasty, "/stream") as other:
        receive(other, b"\r\n\r\n")
        receive(lazy, b"\r\n\r\n")
        wait_until(lambda: hasty.count()["streams"] == 1, "the one that does not read is dropped")
        made = hasty.count()["made"] - before
        # What the sockets hold, and little more: nothing is queued for it.
        assert PIECE <= made < 4 * 2**20
        assert hasty.get("/ring").ok
        assert receive(other, b"1\r\nr\r\n").endswith(b"1\r\nr\r\n")


def test_a_client_that_talks_without_end_where_it_should_listen_is_dropped(server: Server) -> None:
    with listen(server) as client:
        receive(client, b"\r\n\r\n")
        client.sendall(b"a few words")
        assert server.get("/ring").ok
        assert receive(client, b"1\r\nr\r\n") == b"1\r\nr\r\n"
        with suppress(OSError):
            client.sendall(b"x" * 256 * 1024)
        wait_until(lambda: server.count()["streams"] == 0, "it is dropped")


def test_streams_end_whole_when_the_server_stops(launch: Callable[..., Server]) -> None:
    server = launch().ready()
    with ExitStack() as crowd:
        clients = [crowd.enter_context(listen(server)) for _ in range(CROWD)]
        for client in clients:
            receive(client, b"\r\n\r\n")
        server.process.send_signal(signal.SIGTERM)
        for client in clients:
            assert read_all(client) == END
    assert server.stop()[0] == 0
