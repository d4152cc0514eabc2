"""What the core's tests share: a farm, the clock that it reads, and which of them run over which store."""

from __future__ import annotations

from pathlib import Path

import pytest

from master.service.farm import Farm
from tests import databases
from tests.core import support
from tests.core.support import FakeClock, make_farm

OVER_BOTH = ("test_attempts",)
"""Files that every store has to pass: they are its contract, with tests/store/contract."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.rpartition(".")[2] in OVER_BOTH:
        metafunc.parametrize("_store", ["memory", "postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def _store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if getattr(request, "param", "memory") == "postgresql":
        server: databases.Server = request.getfixturevalue("postgresql")
        monkeypatch.setattr(support, "make_store", databases.Stores(server))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def farm(tmp_path: Path, clock: FakeClock) -> Farm:
    return make_farm(tmp_path, clock)
