"""Dramatiq: a message is acknowledged when its job is done."""

from __future__ import annotations

import os
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

_broker = RedisBroker(url=os.environ["BENCH_REDIS"])
_broker.add_middleware(Results(backend=RedisBackend(url=os.environ["BENCH_REDIS"])))
dramatiq.set_broker(_broker)


@dramatiq.actor(store_results=True)
def nothing(number: int) -> int:
    """Does nothing; the result is kept."""
    return number


def submit(number: int) -> Any:
    """Queue a job."""
    return nothing.send(number)


def finish(message: Any) -> None:
    """Wait for its result."""
    message.get_result(block=True, timeout=120_000)
