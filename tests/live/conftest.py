"""One real master for the tests of streams, and clients that hear what it says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.corner import Corner
from tests.masters import Client, Master, patient_master


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    with patient_master(tmp_path_factory.mktemp("live") / "state") as running:
        yield running


@pytest.fixture
def client(master: Master) -> Iterator[Client]:
    """The operator, through the local door."""
    with master.client() as client:
        yield client


@pytest.fixture
def corner(client: Client) -> Corner:
    return Corner(client)
