"""Many clients that ask at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tests.masters import Client, Master

T = TypeVar("T")


def at_once(master: Master, how_many: int, ask: Callable[[Client, int], T]) -> list[T]:
    """What `ask` answers to each client, by its number; all are connected before the first asks."""
    ready = threading.Barrier(how_many)

    def one(n: int) -> T:
        with master.client() as client:
            assert client.get("/health").ok
            ready.wait(60)
            return ask(client, n)

    with ThreadPoolExecutor(how_many) as pool:
        return list(pool.map(one, range(how_many)))
