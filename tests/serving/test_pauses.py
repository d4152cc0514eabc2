"""A request that pauses holds no thread meanwhile, and goes on where it began: in the loop or in the pool."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psutil
import pytest

from master.pauses import Bell, Pause, Steps, in_thread
from tests.masters import wait_until
from tests.serving.conftest import Server, receive


@pytest.mark.parametrize("path", ["/later", "/later-slowly"])
def test_more_requests_pause_than_there_are_threads(launch: Callable[..., Server], path: str) -> None:
    server = launch(threads=4).ready()
    clients = [server.connect_tls() for _ in range(20)]
    for client in clients:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    for _ in range(2):
        wait_until(lambda: server.count()["waiting"] == len(clients), "all pause")
        assert psutil.Process(server.count()["pid"]).num_threads() <= 4 + 2
        assert server.get("/bell").ok
    for client in clients:
        assert receive(client, b"}").startswith(b"HTTP/1.1 200 OK\r\n")
        client.close()
    assert server.healthy()


def steps(bell: Bell, seconds: float) -> Steps[bool]:
    yield Pause(bell, seconds)
    return bell.rung


def test_a_pause_ends_with_its_bell_or_its_time() -> None:
    bell = Bell()
    assert in_thread(steps(bell, 0.01)) is False
    threading.Timer(0.01, bell.ring).start()
    assert in_thread(steps(bell, 30)) is True
    assert in_thread(steps(bell, 30)) is True  # it has rung


def test_a_bell_is_heard_once() -> None:
    bell, heard = Bell(), []
    bell.hear(lambda: heard.append(time.monotonic()))
    bell.ring()
    bell.ring()
    assert len(heard) == 1
    bell.hear(lambda: heard.append(time.monotonic()))
    assert len(heard) == 2
