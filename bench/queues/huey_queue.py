"""huey, on Redis or, if there is none, on SQLite with a sync for each change."""

from __future__ import annotations

import os
from typing import Any

from huey import RedisHuey, SqliteHuey

_redis = os.environ.get("BENCH_REDIS")
huey = RedisHuey("bench", url=_redis) if _redis else SqliteHuey("bench", filename="huey.db", fsync=True)


@huey.task()
def nothing(number: int) -> int:
    """Does nothing; the result is kept."""
    return number


def submit(number: int) -> Any:
    """Queue a job."""
    return nothing(number)


def finish(result: Any) -> None:
    """Wait for its result."""
    result.get(blocking=True, timeout=120, backoff=1, max_delay=0.005)
