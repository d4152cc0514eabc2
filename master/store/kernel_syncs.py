"""Syncs that the kernel does by itself (Linux AIO), so that no thread of ours waits for the disk.

A thread has to get the interpreter's lock three times for each sync, and takes it from the one that answers.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress

from caio.linux_aio import Context, Operation

_PATIENCE = 1
"""Seconds after which a thread that waits looks again."""
_SIGN = 1 << 63

Done = Callable[[OSError | None], None]
"""Is told how a sync ended."""


class KernelSyncs:
    """One sync at a time. Any thread may wait for it; one of them, or the loop, hears of its end."""

    def __init__(self) -> None:
        """Raises an exception of some kind where the kernel has no AIO, or none left."""
        self._context = Context(1)
        self._lock = threading.Lock()
        self._done: Done | None = None

    @property
    def fileno(self) -> int:
        """Can be read when a sync has ended: `collect` is to be called then."""
        return self._context.fileno

    @property
    def under_way(self) -> bool:
        """Whether there is one that has not ended, as far as anybody heard."""
        return self._done is not None

    def begin(self, fd: int, done: Done) -> bool:
        """Have the kernel sync a file; `done` is called by who hears of its end. False: it does not."""
        operation = Operation.fdsync(fd)
        operation.set_callback(self._ended)
        self._done = done
        try:
            taken = self._context.submit(operation) == 1
        except Exception:  # noqa: BLE001 - caio has one of Python's for each of the kernel's
            taken = False
        if not taken:
            self._done = None
        return taken

    def collect(self) -> None:
        """Without waiting: if it has ended, say so."""
        # A thread that waits hears of it by itself.
        if self._lock.acquire(blocking=False):
            try:
                with suppress(BlockingIOError):
                    self._context.poll()
                self._context.process_events(1, 0, 0)
            finally:
                self._lock.release()

    def wait(self) -> None:
        """Return when it has ended, and that was said."""
        with self._lock:
            while self._done is not None:
                with suppress(SystemError):  # caio's word for an interrupted wait
                    self._context.process_events(1, 1, _PATIENCE)

    def _ended(self, result: int) -> None:
        done, self._done = self._done, None
        if done is not None:
            code = (1 << 64) - result if result >= _SIGN else 0
            done(OSError(code, os.strerror(code)) if code else None)
