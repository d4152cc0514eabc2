"""An answer that depends on the disk waits for it without a thread, and is a refusal if the disk fails."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest

from tests.serving.conftest import Server, read_all, receive


def ask(server: Server, path: str) -> ssl.SSLSocket:
    client = server.connect_tls()
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return client


def is_silent(client: ssl.SSLSocket) -> bool:
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(1)
    client.settimeout(10)
    return True


def test_answers_wait_for_the_disk_and_hold_up_nobody(launch: Callable[..., Server]) -> None:
    server = launch(threads=4).ready()
    waiting = [ask(server, "/durable") for _ in range(20)]
    assert is_silent(waiting[0])
    assert server.healthy()
    assert server.get("/syncs").ok
    for client in waiting:
        assert receive(client, b"}").startswith(b"HTTP/1.1 200 OK\r\n")
        client.close()


def test_if_the_disk_fails_they_are_refused(launch: Callable[..., Server]) -> None:
    server = launch().ready()
    waiting = [ask(server, "/durable") for _ in range(2)]
    assert is_silent(waiting[1])
    assert server.get("/fails").ok
    for client in waiting:
        said = read_all(client)
        assert said.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: " in said
        assert b"The disk failed." in said
        client.close()


def test_one_that_breaks_off_ends_its_own_connection_only(launch: Callable[..., Server]) -> None:
    server = launch().ready()
    pid = server.count()["pid"]
    broken, whole = ask(server, "/breaks"), ask(server, "/durable")
    assert is_silent(whole)
    assert server.get("/syncs").ok
    assert receive(whole, b"}").startswith(b"HTTP/1.1 200 OK\r\n")
    assert not read_all(broken).endswith(b"0\r\n\r\n")
    assert server.count()["pid"] == pid
