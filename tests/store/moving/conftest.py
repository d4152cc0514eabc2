"""A farm whose records are moved."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.support import FakeClock
from tests.store.moving.farms import embedded_farm, live_a_little


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def state_dir(tmp_path: Path, clock: FakeClock) -> Path:
    path = tmp_path / "state"
    with embedded_farm(path, clock) as farm:
        live_a_little(farm, clock)
    return path
