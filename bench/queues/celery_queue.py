"""Celery: a message is acknowledged when its job is done, so none is lost with its worker."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery

app = Celery("bench", broker=os.environ["BENCH_REDIS"], backend=os.environ["BENCH_REDIS"])
app.conf.update(task_acks_late=True, broker_connection_retry_on_startup=True)


@app.task(name="nothing")
def nothing(number: int) -> int:
    """Does nothing; the result is kept."""
    return number


def submit(number: int) -> Any:
    """Queue a job."""
    return nothing.delay(number)


def finish(result: Any) -> None:
    """Wait for its result."""
    result.get(timeout=120, interval=0.005)
