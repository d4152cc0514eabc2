"""What the tests of metrics share: a farm in memory, and the clock that it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from master.service import Farm
from tests.core.support import FakeClock, make_farm


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def farm(tmp_path: Path, clock: FakeClock) -> Farm:
    return make_farm(tmp_path, clock, lease=200, heartbeat_timeout=90, retry_backoff=5.0)
