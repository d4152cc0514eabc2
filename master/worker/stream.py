"""An answer that goes on as long as there is something to say, and holds no thread while there is not.

To any WSGI server it is an iterable that waits in its thread. `FarmWorker` knows it: it takes what is
ready, leaves the connection on the poller, and comes back when the stream wakes it.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

BEAT = 15.0
"""Seconds of silence after which a stream says that it lives: proxies and clients give up on silent ones."""


class Stream(ABC):
    """One client's stream. Only one thread at a time takes from it; any thread may wake it."""

    def __init__(self) -> None:
        self._waker: Callable[[], None] | None = None
        self._woken = False

    def open(self, waker: Callable[[], None]) -> None:
        """Begin; `waker` is called, by any thread, when it may be worth asking for `more`."""
        self._waker = waker
        self.opened()

    @property
    def woken(self) -> bool:
        """Whether it was woken since it was asked for more."""
        return self._woken

    def wake(self) -> None:
        """There may be something to say."""
        if self._woken:
            return
        self._woken = True
        waker = self._waker
        if waker is not None:
            waker()

    def more(self, *, beat: bool = False) -> bytes | None:
        """What is ready now, some KB of it; empty: nothing; None: it has ended.

        `beat`: it was silent for `BEAT` seconds, and should say that it lives.
        """
        # First: what comes while it is asked wakes it once more.
        self._woken = False
        return self.take(beat=beat)

    def close(self) -> None:
        """Nobody listens any more (PEP 3333). It may be called twice."""
        self._waker = None
        self.closed()

    @abstractmethod
    def opened(self) -> None:
        """It has begun."""

    @abstractmethod
    def take(self, *, beat: bool) -> bytes | None:
        """See `more`."""

    @abstractmethod
    def closed(self) -> None:
        """It is over. It may be called twice, and though it never began."""

    def __iter__(self) -> Iterator[bytes]:
        """Everything, waiting in this thread."""
        rung = threading.Event()
        self.open(rung.set)
        beat = False
        try:
            while (piece := self.more(beat=beat)) is not None:
                if piece:
                    beat = False
                    yield piece
                else:
                    beat = not rung.wait(BEAT)
                    rung.clear()
        finally:
            self.close()
