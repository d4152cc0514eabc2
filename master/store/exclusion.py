"""One at a time in this process, by names: locks that are there as long as somebody has or awaits them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Exclusion:
    """A lock for each name. Who holds one may take the same once more."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, tuple[threading.RLock, int]] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Alone under `name` until this ends."""
        with self._guard:
            lock, users = self._locks.get(name) or (threading.RLock(), 0)
            self._locks[name] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, users = self._locks[name]
                if users == 1:
                    del self._locks[name]
                else:
                    self._locks[name] = lock, users - 1
