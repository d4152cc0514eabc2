"""The order to stop, and what keeps an agent from starting."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait

_LAST_WORD = 1.0
"""Seconds to end in good order after all that the second signal does."""


class StopError(Exception):
    """The agent cannot start; the message is one line and says what to do."""


class Stop:
    """The order to stop: the first SIGTERM or Ctrl-C drains, the second ends all at once."""

    def __init__(self) -> None:
        """Takes over the signals, from the main thread.

        The handlers do nothing: they could meet the main thread inside a lock that they need.
        The interpreter writes each signal to a pipe, and a thread acts on it.
        """
        self.event = threading.Event()
        self.at_once: Callable[[], None] = lambda: None
        """What the second signal does before `wait_for` waits no longer."""
        self._hurried: Future[None] = Future()
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        threading.Thread(target=self._watch, args=(reader,), name="signals", daemon=True).start()

    def wait_for(self, work: Callable[[], None]) -> None:
        """Do `work` in a thread of its own, and leave it behind if the second signal comes: whatever it
        waits for then, such as a master that hangs, is not waited for. Raises what it raises.
        """
        done: Future[None] = Future()

        def do() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
                done.set_exception(error)
            else:
                done.set_result(None)

        threading.Thread(target=do, name="work", daemon=True).start()
        wait((done, self._hurried), return_when=FIRST_COMPLETED)
        wait((done,), timeout=_LAST_WORD)
        if done.done():
            done.result()

    def _watch(self, reader: int) -> None:
        hurried = False
        while os.read(reader, 1):
            if self.event.is_set() and not hurried:
                hurried = True
                self.at_once()
                self._hurried.set_result(None)
            self.event.set()
