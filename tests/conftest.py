"""What every test leaves behind: nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.core.support import crash_all


@pytest.fixture(autouse=True)
def _no_files_stay_open() -> Iterator[None]:
    yield
    crash_all()
