"""Real masters (without the queue) as processes, and raw connections to them."""

from __future__ import annotations

import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from common.trust import PinnedAdapter
from master.worker import FarmWorker
from tests.forked import ForkedProcess
from tests.masters import free_port, wait_until
from tests.serving import farm


def receive(client: socket.socket, end: bytes) -> bytes:
    """What the server sends, up to and with `end`, and not a byte more."""
    received = b""
    while not received.endswith(end):
        data = client.recv(1)
        assert data, received
        received += data
    return received


def read_all(client: socket.socket) -> bytes:
    """Everything until the server closes, however it does."""
    received = b""
    try:
        while data := client.recv(65536):
            received += data
    except (ssl.SSLError, ConnectionResetError):
        pass
    return received


class Server:
    """One running master process."""

    def __init__(
        self,
        state_dir: Path,
        port: int | None = None,
        *,
        host: str = "127.0.0.1",
        threads: int = 8,
        haste: int = 1,
        files: int = 4096,
        per_address: int = 0,
        held: int = FarmWorker.max_held,
    ) -> None:
        self.state_dir = state_dir
        self.port = port or free_port()
        self.url = f"https://localhost:{self.port}"
        self.ca = state_dir / "tls/ca.pem"
        numbers = (self.port, threads, haste, files, per_address, held)
        self._log = state_dir / "said.log"
        self._from = self._log.stat().st_size if self._log.exists() else 0
        self.process = ForkedProcess(partial(farm.main, state_dir, host, *numbers), self._log)

    def ready(self) -> Server:
        wait_until(self.healthy, "the server answers")
        return self

    def healthy(self, timeout: float = 5.0) -> bool:
        try:
            return bool(self.get("/health", timeout=timeout).json() == {"status": "healthy"})
        except (OSError, ValueError, requests.RequestException):
            return False

    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", PinnedAdapter(self.ca, check_hostname=True))
        return session

    def get(self, path: str, timeout: float = 5.0) -> requests.Response:
        if not self.ca.exists():
            raise ConnectionError("not started yet")
        with self.session() as session:
            return session.get(self.url + path, timeout=timeout)

    def count(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.get("/count").json()
        return answer

    def connect(self, source: str = "127.0.0.1", room: int | None = None) -> socket.socket:
        """A TCP connection, silent so far; `room`: for how many bytes that it does not read."""
        client = socket.socket()
        client.settimeout(10)
        # A crowd must not keep the servers of other tests from the ports that they chose.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if room is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        client.bind((source, 0))
        client.connect(("127.0.0.1", self.port))
        return client

    def connect_tls(self, source: str = "127.0.0.1", room: int | None = None) -> ssl.SSLSocket:
        """A connection after its handshake, on which nothing was asked yet."""
        context = ssl.create_default_context(cafile=str(self.ca))
        return context.wrap_socket(self.connect(source, room), server_hostname="localhost")

    def park(self, how_many: int) -> list[ssl.SSLSocket]:
        """As many requests that do not end before the server stops."""
        before = self.count()["parked"]
        parked = [self.connect_tls() for _ in range(how_many)]
        for each in parked:
            each.sendall(b"GET /park HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: self.count()["parked"] == before + how_many, "all polls are parked")
        return parked

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Its exit status and what it said."""
        self.process.send_signal(sig)
        status = self.process.wait(30)
        return status, self._log.read_bytes()[self._from :].decode()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers on the test's own state directory; all are ended after the test."""
    started: list[Server] = []

    def start(**how: Any) -> Server:
        started.append(Server(tmp_path, **how))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server with 8 threads for all tests of a module that leave it unharmed."""
    running = Server(tmp_path_factory.mktemp("state"))
    try:
        yield running.ready()
    finally:
        running.stop()
