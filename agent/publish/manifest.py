"""What tells that a directory or file is an output of ours: a list in the one, an attribute of the other.

A directory of ours has the file `.ffrtmp.json`, which names the job and each file. It is ours to
replace or remove as long as nothing else is in it.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

NAME = b".ffrtmp.json"
_MAX_SIZE = 4 * 1024 * 1024
_ATTRIBUTE = b"user.ffrtmp.job"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Manifest:
    """The list in a directory of ours."""

    job_id: str
    files: frozenset[bytes]
    """Names with `/` between, without the list itself."""


def write(directory: int, job_id: str, files: Iterable[tuple[str, int, str]]) -> None:
    """Put the list of (name, size, SHA-256) into the open directory, and on the disk."""
    content = {
        "made_by": "ffmpeg-rtmp",
        "job_id": job_id,
        "files": [{"name": name, "size": size, "sha256": sha256} for name, size, sha256 in files],
    }
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(NAME, flags, 0o666, dir_fd=directory), "w", encoding="ascii") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def read(directory: int) -> Manifest | None:
    """The list in the open directory; None if there is none that we wrote."""
    try:
        descriptor = os.open(
            NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory
        )
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_size > _MAX_SIZE:
            return None
        data = file.read(_MAX_SIZE)
    try:
        content = json.loads(data)
        names = frozenset(os.fsencode(entry["name"]) for entry in content["files"])
        return Manifest(str(content["job_id"]), names)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def ours(parent: int, name: bytes) -> Manifest | None:
    """The list of the directory `name`, if that is one, and has nothing in it that is not on its list."""
    try:
        directory = os.open(name, _DIRECTORY, dir_fd=parent)
    except OSError:
        return None
    try:
        manifest = read(directory)
        if manifest is None:
            return None
        known = manifest.files | {NAME}
        return manifest if all(path in known and regular for path, regular, _ in walk(directory)) else None
    except OSError:  # it changes just now
        return None
    finally:
        os.close(directory)


def walk(directory: int, before: bytes = b"", depth: int = 0) -> Iterator[tuple[bytes, bool, os.stat_result]]:
    """Everything below the open directory but directories with something in them: its name, whether it is
    a regular file, and what the system says of it. No link is followed.
    """
    for name in os.listdir(directory):
        raw = os.fsencode(name)
        about = os.stat(raw, dir_fd=directory, follow_symlinks=False)
        if not stat.S_ISDIR(about.st_mode) or depth == _MAX_DEPTH:
            yield before + raw, stat.S_ISREG(about.st_mode), about
            continue
        inner = os.open(raw, _DIRECTORY, dir_fd=directory)
        try:
            below = list(walk(inner, before + raw + b"/", depth + 1))
        finally:
            os.close(inner)
        yield from below or [(before + raw, False, about)]


def mark(descriptor: int, job_id: str) -> None:
    """Note on an open file which job made it, where its file system can."""
    with suppress(OSError):
        os.setxattr(descriptor, _ATTRIBUTE, job_id.encode())


def is_marked(descriptor: int, job_id: str) -> bool:
    """Whether that job made the open file."""
    try:
        return os.getxattr(descriptor, _ATTRIBUTE) == job_id.encode()
    except OSError:
        return False
