"""What masters that share a store tell each other; and what takes its place where there is one alone."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Talk(Protocol):
    """What a master tells the others in passing: what they would find out by themselves in time."""

    def say(self, topic: str, text: str = "") -> None:
        """Tell all others, in a moment or never; it does not wait.

        `topic`: one word. `text`: some KB at most; the same twice in that moment is told once.
        """

    def hear(self, topic: str, hearer: Callable[[str], None]) -> None:
        """Call `hearer` with what others say of a topic, from now on, in a thread of its own."""


class Coming(Protocol):
    """Of which logs lines are about to be written, so that who reads them waits for these."""

    def announced(self, job_ids: Collection[str]) -> AbstractContextManager[None]:
        """Lines of these logs are written within. `unavailable` if that cannot be told."""

    def expects(self, job_id: str) -> bool:
        """Whether there are any still to come."""


class Nobody:
    """There are no other masters."""

    def say(self, topic: str, text: str = "") -> None:
        """Nobody hears it."""

    def hear(self, topic: str, hearer: Callable[[str], None]) -> None:
        """Nobody says anything."""


class ComingHere:
    """What this process is about to write."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._expected: Counter[str] = Counter()

    @contextmanager
    def announced(self, job_ids: Collection[str]) -> Iterator[None]:
        """Lines of these logs are written within."""
        with self._lock:
            self._expected.update(job_ids)
        try:
            yield
        finally:
            with self._lock:
                for job_id in job_ids:
                    self._expected[job_id] -= 1
                    if not self._expected[job_id]:
                        del self._expected[job_id]

    def expects(self, job_id: str) -> bool:
        """Whether there are any still to come."""
        return job_id in self._expected
