"""What an attempt made, whole and known: each file on the disk, with its size and its hash."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from agent.beneath import open_beneath
from agent.produced import Produced
from agent.publish.rules import OutputFailedError
from agent.task import AbortedError

CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finished:
    """A file that can be published."""

    produced: Produced
    size: int
    sha256: str

    @property
    def name(self) -> bytes:
        """Below the attempt's directory."""
        return os.fsencode(self.produced.name)


def finish(directory: int, files: Iterable[Produced], abort: threading.Event) -> tuple[Finished, ...]:
    """Each of the files below the open `directory`, written to the disk and hashed.

    `output_invalid` if one is not there, or is no regular file: what wrote them may have been taken over.
    """
    return tuple(_finish(directory, produced, abort) for produced in files)


def _finish(directory: int, produced: Produced, abort: threading.Event) -> Finished:
    descriptor = open_finished(directory, os.fsencode(produced.name))
    try:
        os.fsync(descriptor)
        digest, size = hashlib.sha256(), 0
        while chunk := os.read(descriptor, CHUNK):
            if abort.is_set():
                raise AbortedError
            digest.update(chunk)
            size += len(chunk)
        return Finished(produced, size, digest.hexdigest())
    finally:
        os.close(descriptor)


def open_finished(directory: int, name: bytes) -> int:
    """The regular file of that name, open to read; `output_invalid` if there is none."""
    try:
        # Not blocking: a pipe in its place would otherwise be waited for.
        descriptor = open_beneath(directory, name, os.O_RDONLY | os.O_NONBLOCK, links=False)
    except OSError as error:
        why = f"{os.fsdecode(name)} cannot be opened: {error.strerror}"
        raise OutputFailedError("output_invalid", f"the output cannot be used: {why}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OutputFailedError("output_invalid", f"the output {os.fsdecode(name)} is no regular file")
    return descriptor
