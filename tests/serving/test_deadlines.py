"""Every wait for a client has an end, also for clients that send a byte now and then."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from master.worker.stages import Patience
from tests.serving.conftest import Server, read_all

HASTE = 20
"""The server's patience is divided by this: 1 s for a handshake, 1.5 s for a request."""


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("state"), haste=HASTE)
    try:
        yield running.ready()
    finally:
        running.stop()


def seconds_until_cut(client: socket.socket, beginning: bytes = b"", drip: bytes = b"") -> float:
    """How long the server keeps a client that sends `beginning`, then `drip` by and by."""
    begun = time.monotonic()
    client.settimeout(0.1)
    with suppress(OSError):
        client.sendall(beginning)
        while time.monotonic() - begun < 20:
            with suppress(TimeoutError):
                client.sendall(drip)
                if not client.recv(65536):
                    break
    return time.monotonic() - begun


def test_a_silent_connection_is_closed(hasty: Server) -> None:
    with hasty.connect() as client:
        assert 0.4 < seconds_until_cut(client) < 3


def test_a_dripping_hello_is_cut_off(hasty: Server) -> None:
    with hasty.connect() as client:
        assert 0.4 < seconds_until_cut(client, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00") < 3


def test_a_dripping_plain_head_is_cut_off(hasty: Server) -> None:
    with hasty.connect() as client:
        assert 0.4 < seconds_until_cut(client, b"GET / HTTP/1.1\r\nX: ", b"x") < 3


def test_a_dripping_head_is_cut_off(hasty: Server) -> None:
    with hasty.connect_tls() as client:
        assert 1.2 < seconds_until_cut(client, b"GET / HTTP/1.1\r\nX: ", b"x") < 5


def test_a_dripping_small_body_is_cut_off(hasty: Server) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n"
    with hasty.connect_tls() as client:
        assert 1.2 < seconds_until_cut(client, head, b"x") < 5


def test_a_dripping_large_body_is_cut_off(hasty: Server) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n"
    with hasty.connect_tls() as client:
        assert 1.2 < seconds_until_cut(client, head, b"x") < 5


def test_an_idle_connection_is_closed_after_the_keep_alive_time(hasty: Server) -> None:
    with hasty.connect_tls() as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200 OK" in client.recv(4096)
        begun = time.monotonic()
        assert read_all(client).count(b"HTTP/1.1") == 0
        assert 3.5 < time.monotonic() - begun < 7


def test_unhurried_clients_get_10_20_30_and_75_seconds() -> None:
    usual = Patience()
    assert (usual.first_byte, usual.handshake, usual.request, usual.keep_alive) == (10, 20, 30, 75)
