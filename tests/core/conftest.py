"""What the core's tests share: a farm in memory, and the clock that it reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from master.service.farm import Farm
from tests.core.support import FakeClock, crash_all, directory_in_memory, make_farm


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with directory_in_memory() as directory:
        yield directory
        crash_all()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def farm(tmp_path: Path, clock: FakeClock) -> Farm:
    return make_farm(tmp_path, clock)
