"""One farm for each test, and one quiet master for the tests that only register with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.masters import Client, Master, start_master
from tests.system.farm import Farm


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    """Everything that it starts is ended with the test; nothing of it may have crashed."""
    farm = Farm(tmp_path)
    try:
        yield farm
    finally:
        farm.close()


@pytest.fixture(scope="session")
def quiet_master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    """Nobody submits jobs to it."""
    master = start_master(tmp_path_factory.mktemp("quiet") / "master")
    try:
        yield master
    finally:
        master.stop()


@pytest.fixture
def quiet(quiet_master: Master) -> Iterator[Client]:
    """The operator of the quiet master."""
    with quiet_master.client() as client:
        yield client
