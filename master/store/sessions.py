"""The open sessions of browsers: names that stand for secrets that were shown. Both are kept hashed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Protocol

MOST = 10_000
"""Sessions at once; beyond, the oldest ends."""


class SessionBook(Protocol):
    """What is kept of them. Nothing of it has to outlive a crash: people sign in again."""

    def begin(self, name: str, credential_hash: str, life: float, now: float) -> None:
        """Keep a session for `life` seconds from monotonic `now`."""

    def credential_hash(self, name: str, now: float) -> str | None:
        """What a session stands for; None if there is none, or it has ended."""

    def end(self, name: str) -> None:
        """Forget a session."""


class SessionsHere:
    """Those of this process; they end with it."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, name: str, credential_hash: str, life: float, now: float) -> None:
        """Keep a session for `life` seconds from monotonic `now`."""
        with self._lock:
            self._open[name] = credential_hash, now + life
            if len(self._open) > MOST:
                self._open.popitem(last=False)

    def credential_hash(self, name: str, now: float) -> str | None:
        """What a session stands for; None if there is none, or it has ended."""
        with self._lock:
            known, until = self._open.get(name, ("", now))
        return known if now < until else None

    def end(self, name: str) -> None:
        """Forget a session."""
        with self._lock:
            self._open.pop(name, None)
