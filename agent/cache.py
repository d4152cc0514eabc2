"""Stored files that this machine has got before: bounded on disk, and shared by jobs and agents.

A file is named by its SHA-256. Who uses one holds a shared lock on it (flock), which ends with its process;
what makes room removes only what nobody holds, the longest unused first. The time of its last use is its
time of change.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from common.transfers import hash_of

log = logging.getLogger(__name__)

_NAME = re.compile(r"[0-9a-f]{64}|\.[0-9a-f]{64}\.part", re.ASCII)
_SHARE = 10
_Mark = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in the cache, whole or not."""

    path: Path
    size: int
    """Bytes that it takes on disk."""
    used: float
    """When it was used last, in seconds since the epoch."""


def to_remove(kept: list[Kept], most: int) -> list[Kept]:
    """In which order files go until the rest has `most` bytes: pure.

    More than are needed may be listed behind those: some may be in use, and cannot go.
    """
    total = sum(each.size for each in kept)
    return sorted(kept, key=lambda each: each.used) if total > most else []


class Cache:
    """The files in one directory."""

    def __init__(self, directory: Path, size: int | None) -> None:
        """`size`: bytes that it may hold; None: a tenth of the disk. OSError if it cannot be made."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.directory = directory
        self.size = shutil.disk_usage(directory).total // _SHARE if size is None else size
        self._whole: dict[str, _Mark] = {}
        """What files were like when they were known to be what their names say."""

    def path(self, sha256: str) -> Path:
        """Where the file is, or would be."""
        return self.directory / sha256

    def open(self, sha256: str, check: Callable[[], None]) -> int | None:
        """A descriptor of the file, to read, which keeps it here until it is closed; None if it is not here.

        It is read through first, unless nobody has touched it since that was done here. One that is damaged
        is removed. `check` is called now and then, and may raise.
        """
        path = self.path(sha256)
        try:
            file = path.open("rb")
        except FileNotFoundError:
            self._whole.pop(sha256, None)
            return None
        with file:
            fcntl.flock(file, fcntl.LOCK_SH)
            mark = _mark(file.fileno())
            if self._whole.get(sha256) != mark and hash_of(file, check=check)[0] != sha256:
                log.warning("The cached file %s is damaged; it is got again", path)
                path.unlink(missing_ok=True)
                return None
            untouched = _mark(file.fileno()) == mark
            with suppress(OSError):  # another agent's user may own it
                os.utime(path)
            if untouched:
                self._whole[sha256] = _mark(file.fileno())
            os.lseek(file.fileno(), 0, os.SEEK_SET)
            # A duplicate has the same lock.
            return os.dup(file.fileno())

    def take(self, sha256: str) -> int | None:
        """The same of a file that came just now: its hash was checked on the way."""
        try:
            fd = os.open(self.path(sha256), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # another agent needed the room in between
            return None
        fcntl.flock(fd, fcntl.LOCK_SH)
        self._whole[sha256] = _mark(fd)
        return fd

    def make_room(self, sha256: str, size: int) -> bool:
        """Let others go, so that a file of `size` bytes fits; False if it is larger than the whole cache."""
        if size > self.size:
            return False
        ours = {sha256, f".{sha256}.part"}
        kept = [each for each in self._kept() if each.path.name not in ours]
        total = sum(each.size for each in kept)
        for each in to_remove(kept, self.size - size):
            if total <= self.size - size:
                break
            if _remove_unused(each.path):
                log.info("Cached file %s made room", each.path.name)
                total -= each.size
        return True

    def used(self) -> int | None:
        """Bytes that the files take now; None if the directory cannot be read."""
        try:
            return sum(each.size for each in self._kept())
        except OSError:
            return None

    def _kept(self) -> list[Kept]:
        found = []
        for entry in os.scandir(self.directory):
            if _NAME.fullmatch(entry.name):
                with suppress(FileNotFoundError):
                    about = entry.stat(follow_symlinks=False)
                    found.append(Kept(Path(entry.path), about.st_blocks * 512, about.st_mtime))
        return found


def _mark(fd: int) -> _Mark:
    """What changes when somebody writes to a file or puts another in its place."""
    about = os.fstat(fd)
    return (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)


def _remove_unused(path: Path) -> bool:
    """Whether it is gone; not while somebody uses or gets it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True
