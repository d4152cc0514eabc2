"""Work that pauses until something happens, and needs no thread meanwhile.

A verb that waits is written as a generator: each `yield Pause(bell, seconds)` in it is a wait. Whoever
runs it goes on with it when the bell rings or the time is over: `in_thread` waits in its thread, the
worker (`master.worker.parked`) leaves it and comes back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


class Bell:
    """It rings once. Any thread may ring it; one hears it, by a call or by waiting."""

    __slots__ = ("_hearer", "_lock", "_rung")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rung = False
        self._hearer: Callable[[], None] | None = None

    @property
    def rung(self) -> bool:
        """Whether it has rung."""
        return self._rung

    def ring(self) -> None:
        """Call who hears it. Once; later rings are not heard."""
        with self._lock:
            self._rung = True
            hearer, self._hearer = self._hearer, None
        if hearer is not None:
            hearer()

    def hear(self, hearer: Callable[[], None]) -> None:
        """Call `hearer` when it rings, in the thread that rings it; at once if it has rung."""
        with self._lock:
            if not self._rung:
                self._hearer = hearer
                return
        hearer()

    def wait(self, seconds: float) -> None:
        """Return when it rings, or after so many seconds."""
        heard = threading.Event()
        self.hear(heard.set)
        heard.wait(max(0.0, seconds))


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait until `bell` rings, at most so many `seconds`."""

    bell: Bell
    seconds: float


Steps = Generator[Pause, None, T]
"""What goes on after each pause, and ends with a T. Closed early, it lets go of what it holds."""


def in_thread(steps: Steps[T]) -> T:
    """Go through the steps to the end, waiting in this thread."""
    try:
        while True:
            pause = next(steps)
            pause.bell.wait(pause.seconds)
    except StopIteration as end:
        found: T = end.value
        return found
