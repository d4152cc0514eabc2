"""However many read slowly, a master with few threads answers others, and holds little in memory for them."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from master.worker.connection import MAX_UNSENT, Connection
from master.worker.reply import Reply
from master.worker.stages import Patience, Stage
from tests.files.support import content, store
from tests.masters import Master, start_master

READERS = 40
DATA = content(4_000_000, "slow")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Master]:
    """Four threads, one of which may park a poll."""
    master = start_master(tmp_path / "state", threads=4)
    yield master
    assert master.stop() == 0


def reader(master: Master, path: str) -> ssl.SSLSocket:
    """Somebody who has asked, and has room for little of the answer."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.connect(("127.0.0.1", master.port))
    client = ssl.create_default_context(cafile=str(master.ca)).wrap_socket(plain, server_hostname="localhost")
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert client.recv(100).startswith(b"HTTP/1.1 200 OK")
    return client


def rss(pid: int) -> int:
    """Bytes of memory that a process has now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096


def test_slow_readers_hold_no_threads(small: Master) -> None:
    with small.client() as client:
        path = f"/files/{store(client, DATA)['sha256']}"
        pid = small.worker_pid()
        assert pid is not None
        before = rss(pid)
        with ExitStack() as stack:
            readers = [stack.enter_context(reader(small, path)) for _ in range(READERS)]
            assert client.get("/health").ok
            assert client.get(path).content == DATA
            assert rss(pid) - before < READERS * 8 * MAX_UNSENT < READERS * len(DATA)
            # And each of them gets all of it in the end.
            left = len(DATA)
            while left > 0 and (data := readers[0].recv(1 << 20)):
                left -= len(data)
            assert left < 1000  # the head was read before


class GreedySocket:
    """Takes all that it is offered, at once."""

    def __init__(self) -> None:
        self.taken = 0

    def setblocking(self, _: bool) -> None: ...

    def send(self, data: memoryview) -> int:
        self.taken += len(data)
        return len(data)


def test_a_fast_reader_gives_its_thread_back_now_and_then() -> None:
    sock: Any = GreedySocket()
    connection = Connection(sock, ("127.0.0.1", 1), None, Patience(), None)
    reply = Reply("GET", chunks=True, close=False)
    reply.start_response("200 OK", [])
    connection.answer(reply, repeat(bytes(100_000)), lambda: None)
    assert 1_000_000 < sock.taken < 10_000_000
    assert connection.stage is Stage.SENDING
