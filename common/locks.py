"""Lock files: who holds one is alone, and it ends with the process that took it."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path


def hold(path: Path, patience: float) -> int:
    """Take the lock of `path`, which is made if need be; the file descriptor, to close when done.

    BlockingIOError if another process still holds it after `patience` seconds; any other
    OSError if the file cannot be written.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(fd)
                raise
            time.sleep(0.05)
        else:
            return fd
