"""Masters that share a database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

import pytest

from master.service import Farm
from tests.core import support
from tests.core.support import FakeClock, make_farm
from tests.databases import Server, Stores

T = TypeVar("T")
_PATIENCE = 60.0
Masters = Callable[[int], list[Farm]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def masters(postgresql: Server, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Masters:
    """Makes as many masters as are asked for: all with one database, and one directory for logs."""
    stores = Stores(postgresql)
    (tmp_path / "logs").mkdir()
    monkeypatch.setattr(support, "make_store", lambda *_: stores(tmp_path, clock, 0))

    def make(number: int) -> Farm:
        directory = tmp_path / f"master-{number}"
        directory.mkdir(exist_ok=True)
        if not (directory / "logs").is_symlink():
            (directory / "logs").symlink_to(tmp_path / "logs")
        return make_farm(directory, clock)

    return lambda count: [make(number) for number in range(count)]


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
