"""What lies in a watched folder, and what of it is whole."""

from __future__ import annotations

import errno
import fcntl
import fnmatch
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

_UNFINISHED = (b".part", b".tmp", b".partial", b".crdownload", b".filepart", b"~")
"""What programs give to the names of files that they have not finished."""


@dataclass(frozen=True, slots=True)
class State:
    """What a file is, as far as it can be seen without reading it: another one is another state."""

    inode: int
    modified: int
    """Nanoseconds of Unix time."""
    size: int
    """Bytes."""


def state_of(about: os.stat_result) -> State:
    """That of a file by what the system says about it."""
    return State(about.st_ino, about.st_mtime_ns, about.st_size)


@dataclass(frozen=True, slots=True)
class Rules:
    """Which files of a folder are meant."""

    patterns: tuple[str, ...] = ()
    """Of their names, as a shell has them; none: all."""
    recursive: bool = False

    def takes(self, name: bytes) -> bool:
        """Whether a file of this name is meant."""
        if name.startswith(b".") or name.lower().endswith(_UNFINISHED):
            return False
        return not self.patterns or any(fnmatch.fnmatchcase(os.fsdecode(name), p) for p in self.patterns)


def look(folder: bytes, rules: Rules) -> Iterator[tuple[bytes, State]]:
    """Each file that is meant, by its path below the folder. Links are not followed.

    OSError if the folder itself cannot be read; what vanishes, or cannot be read below it, is left out.
    """
    yield from _look(folder, b"", rules)


def _look(folder: bytes, below: bytes, rules: Rules) -> Iterator[tuple[bytes, State]]:
    with os.scandir(folder + b"/" + below) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        name = below + entry.name
        with suppress(OSError):
            about = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(about.st_mode) and rules.takes(entry.name):
                yield name, state_of(about)
            elif stat.S_ISDIR(about.st_mode) and rules.recursive and not entry.name.startswith(b"."):
                yield from _look(folder, name + b"/", rules)


class Settling:
    """Which files have not changed for a while. Pure: the time is an argument."""

    def __init__(self, patience: float) -> None:
        """`patience`: seconds that a file must not have changed."""
        self._patience = patience
        self._since: dict[bytes, tuple[State, float]] = {}

    def whole(self, seen: Iterable[tuple[bytes, State]], now: float) -> list[tuple[bytes, State]]:
        """Those of `seen` that are whole at `now`, in seconds on a clock that nobody sets.

        An empty file never is. Only looks of ours count, not the times of the files: those are of another
        machine's clock where the folder is on a network.
        """
        before: Mapping[bytes, tuple[State, float]] = self._since
        self._since, whole = {}, []
        for path, state in seen:
            known = before.get(path)
            since = known[1] if known is not None and known[0] == state else now
            self._since[path] = (state, since)
            if state.size and now - since >= self._patience:
                whole.append((path, state))
        return whole

    def unsettled(self) -> list[tuple[bytes, State]]:
        """What was seen last and is not empty: it is no job yet."""
        return [(path, state) for path, (state, _) in self._since.items() if state.size]


def is_being_written(path: bytes) -> bool:
    """Whether a process of this machine has the file open to write, where the kernel tells us that.

    It tells with a lease, which it grants to a file's owner unless somebody writes to it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    else:
        return False
    finally:
        os.close(descriptor)  # ends the lease
