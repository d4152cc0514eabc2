"""A master for each test, a proxy in front of it, and the operator's clients of both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.proxy import Proxy
from tests.masters import Client, Master, start_master


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    """Nobody is lost here by time."""
    master = start_master(tmp_path / "state", lease="1h", heartbeat_timeout="1h")
    try:
        yield master
    finally:
        assert master.stop() == 0
    assert "Traceback" not in master.log.read_text()


@pytest.fixture
def proxy(master: Master, open_proxy: Callable[[int], Proxy]) -> Proxy:
    return open_proxy(master.port)


@pytest.fixture
def direct(master: Master) -> Iterator[Client]:
    """The operator, past the proxy."""
    with master.client() as client:
        yield client


@pytest.fixture
def client(master: Master, proxy: Proxy) -> Iterator[Client]:
    """The operator behind the proxy, with a connection that is open already."""
    with Client(f"https://localhost:{proxy.port}", master.ca) as client:
        assert client.get("/health").ok
        yield client
