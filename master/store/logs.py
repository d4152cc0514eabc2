"""What ffmpeg and the agent said of a job: a bounded text file for each job.

Not journaled: a crash may lose the last lines, and a full disk loses lines, not jobs.

A file whose older half was dropped begins with a line that says how many bytes are gone. So a place in
a log is a number of bytes since its beginning, whatever was dropped meanwhile.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from master.store.between import Coming, ComingHere

log = logging.getLogger(__name__)

MAX_BYTES = 256 * 1024
"""Of one job's log; when it grows past twice that, its older half is dropped."""
_DROPPED = re.compile(rb"\0dropped ([0-9]{1,15})\n")
_MOST_HEAD = 32
_PART = ".part"


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines of a log, oldest first."""

    begin: int
    """The place where they begin: another one than was asked for if what was there is gone."""
    lines: Sequence[tuple[int, str]]
    """Each with the place behind it."""

    @property
    def end(self) -> int:
        """The place to go on from."""
        return self.lines[-1][0] if self.lines else self.begin


class LogStore:
    """The logs of all jobs, in one directory."""

    def __init__(self, directory: Path, max_bytes: int = MAX_BYTES, coming: Coming | None = None) -> None:
        """Keep at most about `max_bytes` for each job. `coming`: what all that write there are about to."""
        self._directory = directory
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._listeners: list[Callable[[str], None]] = []
        self._coming = coming or ComingHere()

    def subscribe(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with the id of each job whose log has grown, or will not grow any more just now."""
        self._listeners.append(listener)

    def append(self, job_id: str, lines: Sequence[str]) -> None:
        """Add lines; errors of the disk are logged here and go no further."""
        if not lines:
            return
        path = self._path(job_id)
        texts = (line.replace("\n", " ").lstrip("\0") + "\n" for line in lines)
        data = "".join(texts).encode(errors="replace")
        try:
            with self._lock:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with _adding_to(path) as file:
                    file.write(data)
                    file.flush()
                    if file.tell() > 2 * self._max_bytes:
                        self._drop_older_half(path)
        except OSError as error:
            log.warning("lost %d lines of the log of job %s: %s", len(lines), job_id, error)
        self._tell(job_id)

    @contextmanager
    def more_to_come(self, job_ids: Collection[str]) -> Iterator[None]:
        """Lines are about to be added: who reads waits for them, though the jobs may be finished already."""
        if not job_ids:
            yield
            return
        try:
            with self._coming.announced(job_ids):
                yield
        finally:
            for job_id in job_ids:
                self._tell(job_id)

    def expects(self, job_id: str) -> bool:
        """Whether lines are about to be added."""
        return self._coming.expects(job_id)

    def read(self, job_id: str) -> list[str]:
        """The newest lines, oldest first; none if nothing was said."""
        try:
            with self._path(job_id).open("rb") as file:
                tail, _ = self._tail(file)
        except FileNotFoundError:
            return []
        # Not splitlines(): a line may have a carriage return or the like in it.
        return tail.decode(errors="replace").split("\n")[:-1]

    def after(self, job_id: str, place: int, most: int) -> Lines:
        """Lines behind a place in the log, about `most` bytes of them. None, too, if it cannot be read."""
        try:
            with self._path(job_id).open("rb") as file:
                return _lines_after(file, place, most)
        except FileNotFoundError:
            return Lines(place, ())
        except OSError as error:
            log.warning("cannot read the log of job %s: %s", job_id, error)
            return Lines(place, ())

    def remove(self, job_id: str) -> None:
        """Forget a job's log; errors of the disk are logged here and go no further."""
        try:
            with self._lock:
                self._path(job_id).unlink(missing_ok=True)
        except OSError as error:
            log.warning("cannot remove the log of job %s: %s", job_id, error)

    def _tell(self, job_id: str) -> None:
        for listener in self._listeners:
            listener(job_id)

    def _drop_older_half(self, path: Path) -> None:
        """In one step: who reads meanwhile has the one file or the other."""
        with path.open("rb") as file:
            tail, begin = self._tail(file)
        part = path.with_suffix(_PART)
        part.write_bytes(b"\0dropped %d\n" % begin + tail)
        part.replace(path)

    def _tail(self, file: BinaryIO) -> tuple[bytes, int]:
        """The newest lines, and the place where they begin."""
        head, dropped = _head(file)
        size = file.seek(0, os.SEEK_END)
        if size - head <= self._max_bytes:
            file.seek(head)
            return file.read(), dropped
        file.seek(size - self._max_bytes)
        tail = file.read().split(b"\n", 1)[-1]
        return tail, dropped + size - head - len(tail)

    def _path(self, job_id: str) -> Path:
        return self._directory / job_id[:2] / f"{job_id}.log"


@contextmanager
def _adding_to(path: Path) -> Iterator[BinaryIO]:
    """The file, for one at a time: also of masters that share the directory."""
    while True:
        with path.open("ab") as file:
            with suppress(OSError):  # few file systems have no locks; lines may come to grief there
                fcntl.flock(file, fcntl.LOCK_EX)
            if _is_still(file, path):
                yield file
                return


def _is_still(file: BinaryIO, path: Path) -> bool:
    """Whether nobody has removed or replaced it since it was opened."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _head(file: BinaryIO) -> tuple[int, int]:
    """Where the lines begin in a file, and how many bytes were dropped before them."""
    file.seek(0)
    found = _DROPPED.match(file.read(_MOST_HEAD))
    return (0, 0) if found is None else (found.end(), int(found[1]))


def _lines_after(file: BinaryIO, place: int, most: int) -> Lines:
    head, dropped = _head(file)
    end = dropped + file.seek(0, os.SEEK_END) - head
    # Beyond the end: a crash has lost lines that were read already.
    begin = min(max(place, dropped), end)
    if begin > dropped:
        file.seek(head + begin - dropped - 1)
        begin += len(file.readline()) - 1  # to the next line, if it is in the middle of one
    file.seek(head + begin - dropped)
    found: list[tuple[int, str]] = []
    at = begin
    while at < begin + most and (line := file.readline()).endswith(b"\n"):
        at += len(line)
        found.append((at, line[:-1].decode(errors="replace")))
    return Lines(begin, found)
