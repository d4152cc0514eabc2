"""One real master for the tests of streams, and clients that hear what it says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.corner import Corner
from tests.masters import Client, Master, start_master


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    """Patient, so that no node or lease is lost while another test is busy."""
    running = start_master(tmp_path_factory.mktemp("live") / "state", lease="1h", heartbeat_timeout="1h")
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.log.read_text()


@pytest.fixture
def client(master: Master) -> Iterator[Client]:
    """The operator, through the local door."""
    with master.client() as client:
        yield client


@pytest.fixture
def corner(client: Client) -> Corner:
    return Corner(client)
