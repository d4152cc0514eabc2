"""RQ: its worker forks for each job, and keeps the result."""

from __future__ import annotations

import os
import time
from typing import Any

from redis import Redis
from rq import Queue

from bench.queues.nothing import nothing

_queue = Queue(connection=Redis.from_url(os.environ["BENCH_REDIS"]))


def submit(number: int) -> Any:
    """Queue a job."""
    return _queue.enqueue(nothing, number)


def finish(job: Any) -> None:
    """Wait for its result."""
    while job.return_value(refresh=True) is None:
        time.sleep(0.005)
