"""The only place that reads the clocks; everything else is handed a `Now`."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from common.model import Now

Clock = Callable[[], Now]


def system_clock() -> Now:
    """Both clocks, read now."""
    return Now(datetime.now(UTC), time.monotonic())
