"""How much the file store may hold: the operator's quota, and what the disk must keep for the journal."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common import problems

_RESERVE = 512 * 1024**2
"""Bytes of the disk that files leave free, but no more than a twentieth of it: the journal needs some."""


@dataclass(frozen=True, slots=True)
class Space:
    """A file system."""

    size: int
    """Bytes."""
    free: int


def space_of(directory: Path) -> Space:
    """That of `directory`, as an ordinary user may fill it."""
    found = os.statvfs(directory)
    return Space(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)


class Room:
    """Says whether more fits."""

    def __init__(self, directory: Path, quota: int | None, space: Callable[[Path], Space] = space_of) -> None:
        """`quota`: bytes; None: half of the disk."""
        self._directory = directory
        self._space = space
        self.quota = shutil.disk_usage(directory).total // 2 if quota is None else quota

    def check(self, held: int, more: int) -> None:
        """`files_full` unless `more` bytes fit beside the `held` ones."""
        if held + more > self.quota:
            raise problems.FILES_FULL(
                f"The file store holds {held} bytes, and {self.quota} are the most (--files-quota): {more} "
                "more do not fit. Remove what is not needed (ffrtmp files rm), or ask for a larger quota.",
                quota=self.quota,
                held=held,
            )
        space = self._space(self._directory)
        if space.free - more < min(_RESERVE, space.size // 20):
            raise problems.FILES_FULL(
                f"The master's disk has {space.free} bytes left: {more} more do not fit beside what the "
                "master itself needs. Remove what is not needed (ffrtmp files rm), or make room on the disk.",
                quota=self.quota,
                held=held,
            )
