"""Brings what is finished beside its place: by a new name, or as a copy from another file system."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from agent.beneath import open_beneath, rename_new
from agent.publish import manifest
from agent.publish.finished import CHUNK, Finished, open_finished
from agent.publish.rules import OutputFailedError
from agent.task import AbortedError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Whole:
    """What gets one name: a file, or a directory with files."""

    files: Sequence[Finished]
    job_id: str
    is_directory: bool


def bring(whole: Whole, source: int, target: int, name: bytes, abort: threading.Event) -> None:
    """Gives `whole`, which is in the open directory `source`, the name `name` in the open `target`, synced.

    Another file system's gets a copy, each file of which is hashed again. What does not get there whole is
    removed. OSError; `output_invalid` if a copy is not what was finished; `AbortedError`.
    """
    try:
        if whole.is_directory:
            os.mkdir(name, dir_fd=target)
            _fill(whole, source, target, name, abort)
        else:
            (file,) = whole.files
            _bring_file(file, source, target, name, abort)
            _mark(target, name, whole.job_id)
    except BaseException:
        remove(target, name)
        raise


def remove(directory: int, name: bytes) -> None:
    """Remove the file or directory `name`, if it is there, as far as that is possible."""
    try:
        about = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if stat.S_ISDIR(about.st_mode):
            shutil.rmtree(name, ignore_errors=True, dir_fd=directory)
        else:
            os.unlink(name, dir_fd=directory)
    except OSError:
        pass


def _fill(whole: Whole, source: int, target: int, name: bytes, abort: threading.Event) -> None:
    made = os.open(name, _DIRECTORY, dir_fd=target)
    try:
        inner = sorted({step for file in whole.files for step in _directories(file.name)})
        for path in inner:
            os.mkdir(path, dir_fd=made)
        for file in whole.files:
            _bring_file(file, source, made, file.name, abort)
        manifest.write(
            made, whole.job_id, [(file.produced.name, file.size, file.sha256) for file in whole.files]
        )
        for path in inner:
            _sync(made, path)
        os.fsync(made)
    finally:
        os.close(made)


def _directories(name: bytes) -> list[bytes]:
    """`a` and `a/b` of `a/b/c`."""
    steps = name.split(b"/")[:-1]
    return [b"/".join(steps[: count + 1]) for count in range(len(steps))]


def _bring_file(file: Finished, source: int, target: int, name: bytes, abort: threading.Event) -> None:
    try:
        rename_new(source, file.name, target, name)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(file, source, target, name, abort)


def _copy(file: Finished, source: int, target: int, name: bytes, abort: threading.Event) -> None:
    reader = open_finished(source, file.name)
    try:
        with os.fdopen(os.open(name, _NEW, 0o666, dir_fd=target), "wb", buffering=0) as copy:
            digest = hashlib.sha256()
            while chunk := os.read(reader, CHUNK):
                if abort.is_set():
                    raise AbortedError
                digest.update(chunk)
                rest = memoryview(chunk)
                while rest:
                    rest = rest[copy.write(rest) :]
            os.fsync(copy.fileno())
    finally:
        os.close(reader)
    if digest.hexdigest() != file.sha256:
        raise OutputFailedError(
            "output_invalid", f"the output {file.produced.name} changed while it was copied"
        )


def _mark(directory: int, name: bytes, job_id: str) -> None:
    with suppress(OSError):
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
        try:
            manifest.mark(descriptor, job_id)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sync(directory: int, path: bytes) -> None:
    descriptor = open_beneath(directory, path, os.O_RDONLY | os.O_DIRECTORY, links=False)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
