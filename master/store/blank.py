"""A journal segment that nothing is recorded in yet."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from master.store import formats
from master.store.frames import frame


@dataclass(frozen=True, slots=True)
class Blank:
    """See the module. Its stamp is on disk, and its room is its own."""

    path: Path
    fd: int
    stamped: int
    """Bytes of its stamp: the first record goes behind it."""
    room: int
    """Bytes that it may have."""

    def discard(self) -> None:
        """It is not needed."""
        os.close(self.fd)
        with suppress(OSError):
            self.path.unlink()


def make_blank(path: Path, room: int, record: int = 0) -> Blank:
    """Make the new file `path` with `room` bytes, or more if a record has `record` bytes. OSError.

    Its name is not on disk yet.
    """
    stamp = frame(formats.stamp(), 0)
    room = max(room, len(stamp) + record)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    made = Blank(path, fd, len(stamp), room)
    try:
        os.posix_fallocate(fd, 0, room)
        os.pwrite(fd, stamp, 0)  # never short: it has its room
        # Synced before any record, so that each of them says so: a stamp that is damaged
        # then is no torn tail.
        os.fdatasync(fd)
    except OSError:
        made.discard()
        raise
    return made
