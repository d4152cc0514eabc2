"""What a process that reads an input gets of it: the open file, or a socket by which it asks for parts."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from agent.apart import limits_of
from agent.chunks.blocks import BLOCK, Blocks
from agent.chunks.ranged import RangeError, answer
from agent.ffmpeg.limits import Limits
from agent.files import Files
from agent.inputs.media import reopen
from agent.inputs.rules import InputFailedError

SLOW = 1.0
"""Seconds: who waits longer for a part of the file is suspended for the rest, which does not count."""
_READ_TWICE = 2
"""How often each byte may be read of a file that is not in its order."""


class Given:
    """An open file."""

    def __init__(self, descriptor: int, size: int) -> None:
        self.descriptor = descriptor
        """For the process to inherit."""
        self.size = size
        """Of the input, in bytes."""

    @property
    def words(self) -> list[str]:
        """What the process is told: the descriptor, and the size of what it has to ask for, else nothing."""
        return [str(self.descriptor), ""]

    @property
    def got(self) -> int:
        """Bytes that came from the file store."""
        return 0

    def limits(self, output: int) -> Limits:
        """What a process may take that reads it once, and writes so many bytes."""
        return limits_of(self.size, output=output)

    def may_work(self) -> bool:
        """Whether the process has what it needs."""
        return True

    def check(self) -> None:
        """`InputFailedError` if what the process got was not all of it."""


class _Asked(Given):
    """A file of which parts are got as the process asks for them."""

    def __init__(
        self, files: Files, sha256: str, size: int, ours: socket.socket, theirs: socket.socket
    ) -> None:
        super().__init__(theirs.fileno(), size)
        self._blocks = Blocks(lambda at, length: files.part(sha256, at, length, self._ended).data, size)
        self._ours = ours
        self._since: float | None = None
        self._error: Exception | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._answer, name="parts", daemon=True)
        self._thread.start()

    @property
    def words(self) -> list[str]:
        return [str(self.descriptor), str(self.size)]

    @property
    def got(self) -> int:
        return self._blocks.got

    def limits(self, output: int) -> Limits:
        usual = super().limits(output)
        seconds = usual.total + _READ_TWICE * SLOW * (self.size // BLOCK + 1)
        return replace(usual, first=seconds, stall=seconds, last=seconds, total=seconds)

    def may_work(self) -> bool:
        since = self._since
        return since is None or time.monotonic() - since < SLOW

    def check(self) -> None:
        self.end()
        if isinstance(self._error, RangeError):
            raise InputFailedError("input_invalid", f"no piece of the input could be cut: {self._error}")
        if self._error is not None:
            raise self._error

    def end(self) -> None:
        """Answers nothing more; the process has ended."""
        self._ended.set()
        self._hang_up()
        self._thread.join()

    def _hang_up(self) -> None:
        with suppress(OSError):  # the other side was quicker
            self._ours.shutdown(socket.SHUT_RDWR)

    def _answer(self) -> None:
        try:
            # A socket that breaks is the end of the process, of which is told elsewhere.
            with suppress(OSError):
                answer(self._ours, self.size, self._read)
        except RangeError as error:
            self._error = error
        finally:
            self._hang_up()

    def _read(self, offset: int, length: int) -> bytes:
        self._since = time.monotonic()
        try:
            return self._blocks.read(offset, length)
        except Exception as error:
            if not self._ended.is_set():
                self._error = error  # for the thread that waits for the process
            raise OSError(str(error)) from error
        finally:
            self._since = None


@contextmanager
def in_place(descriptor: int) -> Iterator[Given]:
    """The open file, from its beginning."""
    own = reopen(descriptor)  # who reads the file next begins at its beginning
    try:
        yield Given(own, os.fstat(own).st_size)
    finally:
        os.close(own)


@contextmanager
def by_parts(files: Files, sha256: str, max_size: int, abort: threading.Event) -> Iterator[Given]:
    """A stored file, of which only those parts are got that the process reads.

    `InputFailedError` if it cannot be had, or is larger than `max_size` bytes.
    """
    size = files.size(sha256, max_size, abort)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        given = _Asked(files, sha256, size, ours, theirs)
        try:
            yield given
        finally:
            given.end()
