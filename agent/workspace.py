"""The files of attempts in the work directory: the directory of a job, unfinished files, finished ones."""

from __future__ import annotations

import os
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_users: Counter[Path] = Counter()
"""How many attempts of this process work in each directory."""
_lock = threading.Lock()


def absolute(path: Path) -> Path:
    """`path` without a current directory and without `..`, which the sandbox cannot follow.

    Links keep their names, but for those that a `..` has to be followed through.
    """
    parts = path.absolute().parts
    behind = len(parts) - parts[::-1].index("..") if ".." in parts else 1
    return Path(os.path.realpath(Path(*parts[:behind])), *parts[behind:])


class JobDirectory:
    """A directory that an attempt works in."""

    def __init__(self, path: Path) -> None:
        self.path = path


@contextmanager
def job_directory(path: Path) -> Iterator[JobDirectory]:
    """The directory `path`, made if need be; the last attempt that leaves it empty removes it.

    Other attempts of the same job may begin and end in this process meanwhile. OSError if it cannot be made.
    """
    with _lock:
        path.mkdir(parents=True, exist_ok=True)
        _users[path] += 1
    try:
        yield JobDirectory(path)
    finally:
        with _lock:
            _users[path] -= 1
            if not _users[path]:
                del _users[path]
                _remove_if_empty(path)


@contextmanager
def attempt_directory(job_directory: Path, node_id: str, lease_id: str) -> Iterator[Path]:
    """A directory within `job_directory` for what an attempt of `node_id` has not finished.

    Each attempt has one of its own: an old one that ends late must not touch the files of the next.
    At the end of the block it is removed, with all that is in it.
    """
    path = job_directory / f"{owner(node_id)}-{lease_id[:8]}.part"
    shutil.rmtree(path, ignore_errors=True)  # of the same attempt, before its agent died
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def remove_leftovers(work_dir: Path, node_id: str) -> None:
    """Remove what attempts of this node left unfinished when its agent died. None may be running."""
    mine = owner(node_id)
    for pattern in (f"*/{mine}-*.part", f"*/.ffrtmp-{mine}-*.part"):
        for part in work_dir.glob(pattern):
            if part.is_dir() and not part.is_symlink():
                shutil.rmtree(part, ignore_errors=True)
            else:
                with suppress(OSError):
                    part.unlink()
            _remove_if_empty(part.parent)


def owner(node_id: str) -> str:
    """What tells this node's unfinished files from others': nodes may share a work directory."""
    return node_id[:8]


def _remove_if_empty(directory: Path) -> None:
    with suppress(OSError):
        directory.rmdir()
