"""One real master for the tests of its file store, and a corner of it for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common.address import parse_address
from common.client import MasterClient, establish_trust
from tests.core.support import FakeClock
from tests.faults.proxy import Proxy
from tests.files.shelves import Shelves
from tests.masters import Master, patient_master


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    with patient_master(tmp_path_factory.mktemp("files") / "state") as running:
        yield running


@pytest.fixture
def connect(tmp_path: Path) -> Callable[..., MasterClient]:
    """Our own client of a master: the operator's, or of who shows a credential."""

    def connect(master: Master, credential: str | None = None, port: int | None = None) -> MasterClient:
        address = parse_address(f"https://localhost:{port or master.port}")
        return MasterClient(address, establish_trust(address, master.ca, tmp_path), credential)

    return connect


@pytest.fixture
def open_proxy() -> Iterator[Callable[[int], Proxy]]:
    proxies: list[Proxy] = []

    def open_(target: int) -> Proxy:
        proxies.append(Proxy(target))
        return proxies[-1]

    yield open_
    for proxy in proxies:
        proxy.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def shelves(tmp_path: Path, clock: FakeClock) -> Iterator[Shelves]:
    made = Shelves(tmp_path / "files", clock)
    yield made
    made.close()
