"""Masters that share a database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

import psycopg
import pytest

from master.service import Farm
from master.store.postgres.store import PostgresStore
from tests.core import support
from tests.core.support import FakeClock, make_farm
from tests.databases import Server, Stores

T = TypeVar("T")
_PATIENCE = 60.0
Masters = Callable[..., list[Farm]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def masters(postgresql: Server, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Masters:
    """Makes as many masters as are asked for: each with a directory of its own, all with one database."""
    stores = Stores(postgresql)
    monkeypatch.setattr(support, "make_store", lambda *_: stores(tmp_path, clock, 0))
    return lambda count: [make_farm(tmp_path / f"master-{number}", clock) for number in range(count)]


def at_once(*calls: Callable[[], T]) -> list[T]:
    """What each of them answers; they begin together."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = monotonic() + _PATIENCE
    while not condition():
        assert monotonic() < deadline
        sleep(0.01)


@pytest.fixture
def sharing(postgresql: Server, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Masters:
    """The same of masters that share a directory, too."""
    stores = Stores(postgresql)
    monkeypatch.setattr(support, "make_store", lambda *_: stores(tmp_path, clock, 0))

    def make(count: int, **settings: Any) -> list[Farm]:
        settings = {"shared_dir": tmp_path / "shared", **settings}
        return [make_farm(tmp_path / f"master-{number}", clock, **settings) for number in range(count)]

    return make


def somebody_waits(farm: Farm) -> bool:
    """For a lock that another transaction has."""
    assert isinstance(farm.store, PostgresStore)
    with psycopg.connect(farm.store._url) as connection:
        found = connection.execute("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")
        return found.fetchall() != [(0,)]
