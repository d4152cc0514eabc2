"""The thread that lets time pass: lost nodes, expired leases, ended backoffs, upkeep."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from common.problems import Problem

log = logging.getLogger(__name__)


class Reaper:
    """Calls its chores again and again, until it is stopped. A chore that fails is logged and goes on."""

    def __init__(self, chores: Sequence[Callable[[], None]], interval: float) -> None:
        """`interval`: seconds between two rounds."""
        self._chores = chores
        self._interval = interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reaper", daemon=True)

    def start(self) -> None:
        """Begin, in the process that serves: threads do not survive a fork."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the round that is under way."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            for chore in self._chores:
                try:
                    chore()
                except Problem as problem:  # such as a database that cannot be reached
                    log.warning("%s is tried again: %s", _name(chore), problem)
                except Exception:
                    log.exception("%s failed; it is tried again", _name(chore))


def _name(chore: Callable[[], None]) -> str:
    return getattr(chore, "__name__", "a chore")
