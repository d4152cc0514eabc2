"""The journal: append-only segments, preallocated, synced in groups.

A frame is one line: `<length> <crc> <synced> <payload>\\n`, all three numbers in
eight hexadecimal digits. `length` is the payload's in bytes, `crc` is CRC-32 over
`<synced> <payload>`, and `synced` is the offset in this segment up to which the
writer knew the disk to be synced. So recovery can tell a torn tail, which nobody was
told of, from damage to what was acknowledged. An empty payload is a mark: it only
carries `synced`. A segment ends at its end or where only zeros follow.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SEGMENT_BYTES = 16 * 1024 * 1024
PART = ".part"
"""Ends the names of files that are not whole yet."""
_SEGMENT = re.compile(r"\d{12}\.journal", re.ASCII)
_HEADER = 27  # three numbers of 8 digits, each with a space behind it


class JournalError(Exception):
    """The journal is damaged, or the disk under it failed for good."""


class JournalFullError(Exception):
    """The disk has no room for more; nothing was written, reading goes on."""


def frame(payload: bytes, synced: int) -> bytes:
    """One line for the journal."""
    body = b"%08x %s" % (synced, payload)
    return b"%08x %08x %s\n" % (len(payload), zlib.crc32(body), body)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that was read back."""

    payload: bytes
    synced: int
    end: int
    """Offset behind it."""


def parse_frame(data: bytes, offset: int) -> Frame | None:
    """The frame at `offset`; None if there is no whole and sound one."""
    head = data[offset : offset + _HEADER]
    try:
        length, crc, synced = (int(part, 16) for part in head.split(b" ", 2))
    except ValueError:
        return None
    end = offset + _HEADER + length + 1
    body = data[offset + 18 : end - 1]
    if len(head) < _HEADER or end > len(data) or data[end - 1] != 0x0A or zlib.crc32(body) != crc:
        return None
    return Frame(data[offset + _HEADER : end - 1], synced, end)


def read_segment(path: Path, *, last: bool) -> Iterator[tuple[int, bytes]]:
    """The payloads of a segment with their offsets; `JournalError` if what was acknowledged is damaged.

    A torn tail ends the iteration. It is possible only in the `last` segment, since a
    segment is synced before the next one begins.
    """
    data, offset = path.read_bytes(), 0
    while (found := parse_frame(data, offset)) is not None:
        if found.payload:
            yield offset, found.payload
        offset = found.end
    if not data[offset:].strip(b"\0"):
        return
    if not last or _acknowledged(data, offset):
        raise JournalError(
            f"the journal is damaged at offset {offset} of {path}, in records that were acknowledged; "
            "restore the state directory from a backup, or move it away to begin anew"
        )


def cut_tail(path: Path) -> int:
    """Cut a segment behind its last sound frame; answers how many bytes other than zeros went.

    What is sound is written anew: records that a killed master left in the page cache are
    about to be believed, and after a failed sync the kernel would not write them again.
    """
    data, offset = path.read_bytes(), 0
    while (found := parse_frame(data, offset)) is not None:
        offset = found.end
    replace_file(path, [data[:offset]])
    return len(data[offset:].rstrip(b"\0"))


def replace_file(path: Path, chunks: Iterable[bytes]) -> None:
    """Write `chunks` as the file `path`, durably, whole or not at all (mode 0600)."""
    fd, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=PART)
    try:
        with os.fdopen(fd, "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        Path(name).rename(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def _acknowledged(data: bytes, broken: int) -> bool:
    """Whether a frame behind `broken` says that the disk was synced beyond it."""
    position = broken
    while (newline := data.find(b"\n", position)) >= 0:
        position = newline + 1
        later = parse_frame(data, position)
        if later is not None and later.synced > broken:
            return True
    return False


def segments(directory: Path) -> list[Path]:
    """The segment files, oldest first; files with other names are not ours."""
    return sorted(path for path in directory.glob("*.journal") if _SEGMENT.fullmatch(path.name))


def sync_directory(directory: Path) -> None:
    """Make the creation, renaming and removal of its files durable."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _fdatasync(fd: int) -> OSError | None:
    try:
        os.fdatasync(fd)
    except OSError as error:
        return error
    return None


class Journal:
    """The writer. `append` is called under the store's lock, `wait_synced` outside of it."""

    def __init__(
        self,
        directory: Path,
        number: int,
        *,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """Begin segment `number`."""
        self._directory = directory
        self._number = number - 1
        self._segment_bytes = segment_bytes
        self._cond = threading.Condition()
        self._fd = -1
        self._offset = 0  # where the next frame goes, in this segment
        self._limit = 0  # how far this segment may grow
        self._base = 0  # position of this segment's offset 0
        self._synced = 0
        self._syncing = False
        self._failure: str | None = None
        self._closed = False
        self.position = 0
        """Behind the newest event: what an answer that saw the state now must wait for."""
        self._open_segment(segment_bytes)

    @property
    def number(self) -> int:
        """The number of the segment that is being written."""
        return self._number

    @property
    def failure(self) -> str | None:
        """Why nothing can be acknowledged any more; None while all is well."""
        return self._failure

    def append(self, payload: bytes) -> None:
        """Write one record without syncing; `JournalFullError` if there is no room."""
        self._check()
        if self._closed:
            raise JournalFullError("the master is stopping")
        block = self._frame(payload)
        if self._offset + len(block) > self._limit:
            self._roll(len(block))
            block = self._frame(payload)
        self._write(block)
        self.position = self._base + self._offset

    def wait_synced(self, position: int) -> None:
        """Return when the disk holds everything up to `position`; `JournalError` if it never will.

        Whoever comes while nobody syncs does it for all who wait: one fdatasync serves
        many, and nobody waits for company.
        """
        while True:
            with self._cond:
                while self._syncing and self._synced < position:
                    self._cond.wait()
                self._check()
                if self._synced >= position:
                    return
                self._syncing = True
                fd, target = self._fd, self._base + self._offset
            self._finish_sync(target, _fdatasync(fd))

    def close(self) -> None:
        """Sync, cut the unused part off, and close; whoever comes later is refused."""
        self._closed = True
        if self._fd >= 0:
            self._close_segment()

    def _frame(self, payload: bytes) -> bytes:
        return frame(payload, max(0, self._synced - self._base))

    def _write(self, block: bytes) -> None:
        try:
            written = os.pwrite(self._fd, block, self._offset)
        except OSError as error:
            self._abandon_tail()
            raise JournalFullError(f"cannot write the journal in {self._directory}: {error}") from error
        if written != len(block):
            self._abandon_tail()
            raise JournalFullError(f"no room for the journal in {self._directory}")
        self._offset += len(block)

    def _finish_sync(self, target: int, error: OSError | None) -> None:
        with self._cond:
            self._syncing = False
            if error is None:
                self._synced = max(self._synced, target)
            else:
                self._failure = f"the disk under {self._directory} failed to sync: {error}"
            self._cond.notify_all()

    def mark(self) -> None:
        """Note behind the newest event that it is synced. Called under the store's lock, when idle.

        Nobody waits for a mark and it is not synced: it matters only if it is there.
        """
        fresh = self._offset > 0 and self.position == self._base + self._offset <= self._synced
        block = frame(b"", self._offset)
        if fresh and self._failure is None and self._offset + len(block) <= self._limit:
            self._write(block)

    def _check(self) -> None:
        if self._failure is not None:
            raise JournalError(self._failure)

    def _roll(self, room: int) -> None:
        if self._fd >= 0:
            self._close_segment()
        self._open_segment(max(self._segment_bytes, room))

    def _close_segment(self) -> None:
        """A closed segment is whole on disk: only the last one can have a torn tail."""
        self.wait_synced(self.position)
        self.mark()
        os.ftruncate(self._fd, self._offset)
        self.wait_synced(self._base + self._offset)
        with self._cond:
            while self._syncing:
                self._cond.wait()
        os.close(self._fd)
        self._fd = -1
        self._base += self._offset
        self._offset = self._limit = 0

    def _open_segment(self, room: int) -> None:
        path = self._directory / f"{self._number + 1:012d}.journal"
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, room)
                sync_directory(self._directory)
            except OSError:
                os.close(fd)
                path.unlink()
                raise
        except OSError as error:
            raise JournalFullError(f"cannot begin a journal segment in {self._directory}: {error}") from error
        self._number += 1
        self._fd = fd
        self._limit = room

    def _abandon_tail(self) -> None:
        """After a failed write: what lies behind the last good frame must never be read."""
        with self._cond:
            while self._syncing:
                self._cond.wait()
        try:
            os.ftruncate(self._fd, self._offset)
        except OSError as error:
            self._failure = f"cannot undo a failed write in {self._directory}: {error}"
        self._limit = self._offset
