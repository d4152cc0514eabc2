"""The journal's writer: append-only segments, preallocated, synced in groups.

Each segment begins with a stamp (`master.store.formats`) and goes on with records, all of
them in frames (`master.store.frames`).
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from master.store.blank import Blank, make_blank
from master.store.frames import AROUND, frame
from master.store.meter import UNMETERED

if TYPE_CHECKING:
    from master.store.kernel_syncs import KernelSyncs

AT_ONCE = 512 * 1024
"""Bytes of a large file that the disk is given at once: the journal's syncs would wait for more."""
SEGMENT_BYTES = 4 * 1024 * 1024
PART = ".part"
"""Ends the names of files that are not whole yet."""
_SPARE = f"next.journal{PART}"
_FILLED = 4
"""The next segment is made when a quarter (1/4) of this one is filled."""


class JournalError(Exception):
    """The journal is damaged, or the disk under it failed for good."""


class JournalFullError(Exception):
    """The disk has no room for more; nothing was written, reading goes on."""


class _Retired(NamedTuple):
    """A segment that is full, but may not be whole on disk yet; and the one that is written instead, which
    gets its name then.
    """

    fd: int
    end: int
    following: Blank


def replace_file(path: Path, chunks: Iterable[bytes]) -> None:
    """Write `chunks` as the file `path`, durably, whole or not at all (mode 0600)."""
    fd, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=PART)
    try:
        with os.fdopen(fd, "wb") as file:
            behind = 0
            for chunk in chunks:
                behind += file.write(chunk)
                if behind >= AT_ONCE:
                    file.flush()
                    os.fdatasync(file.fileno())
                    behind = 0
            file.flush()
            os.fsync(file.fileno())
        Path(name).rename(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


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
        synced: Callable[[float], None] = UNMETERED.synced,
    ) -> None:
        """Begin segment `number`. `synced` is told the seconds of each sync that somebody waited for."""
        self._directory = directory
        self._number = number - 1
        self._segment_bytes = segment_bytes
        self._cond = threading.Condition()
        self._fd = -1
        self._kernel: KernelSyncs | None = None
        self._spare: Blank | None = None
        self._retired: _Retired | None = None
        self._stamped = 0  # bytes of this segment's stamp, which is on disk
        self._offset = 0  # where the next frame goes, in this segment
        self._limit = 0  # how far this segment may grow
        self._base = 0  # position of this segment's offset 0
        self._synced = 0
        self._syncing = False
        self._failure: str | None = None
        self._closed = False
        self._tell_synced = synced
        self.position = 0
        """Behind the newest event: what an answer that saw the state now must wait for."""
        self._open_segment(0)

    @property
    def number(self) -> int:
        """The number of the newest segment: those with lower ones are whole, and stay as they are."""
        return self._number

    @property
    def failure(self) -> str | None:
        """Why nothing can be acknowledged any more; None while all is well."""
        return self._failure

    def has_room(self, size: int) -> bool:
        """Whether a record of this many bytes fits into this segment: its room on the disk is its own."""
        return self._offset + AROUND + size <= self._limit

    def make_room(self, size: int) -> None:
        """See to it that a record of this many bytes can be written; `JournalFullError` if it cannot."""
        self._check()
        if self._closed:
            raise JournalFullError("the master is stopping")
        if not self.has_room(size):
            self._roll(AROUND + size)

    def append(self, payload: bytes) -> None:
        """Write one record without syncing; `JournalFullError` if there is no room."""
        self.make_room(len(payload))
        self._write(frame(payload, max(self._stamped, self._synced - self._base)))
        self.position = self._base + self._offset

    def give_up(self, reason: str) -> None:
        """Acknowledge nothing any more: the records in memory are ahead of the disk, for good."""
        self._failure = self._failure or reason

    def wait_synced(self, position: int) -> None:
        """Return when the disk holds everything up to `position`; `JournalError` if it never will.

        Whoever comes while nobody syncs does it for all who wait: one fdatasync serves
        many, and nobody waits for company.
        """
        while True:
            with self._cond:
                while self._syncing and self._synced < position:
                    self._wait_for_other()
                self._check()
                if self._synced >= position:
                    return
                self._syncing = True
                retired, self._retired = self._retired, None
                fd, target = self._fd, self._base + self._offset
            begun = time.perf_counter()
            error = (None if retired is None else self._finish_retired(retired)) or _fdatasync(fd)
            took = time.perf_counter() - begun
            self._finish_sync(target, error)
            self._tell_synced(took)

    def use_kernel(self, kernel: KernelSyncs) -> None:
        """From now on `begin_sync` may be used."""
        self._kernel = kernel

    def begin_sync(self, ended: Callable[[], None]) -> bool:
        """Begin to sync all that is there, and do not wait for it: `ended` is called when it is over, well or
        not, by any thread, maybe under the store's lock. False: a thread must do it, by `wait_synced`.
        """
        with self._cond:
            busy = self._syncing or self._retired is not None
            if self._kernel is None or busy or self._failure is not None:
                return False
            target, begun = self._base + self._offset, time.perf_counter()

            def done(error: OSError | None) -> None:
                self._finish_sync(target, error)
                self._tell_synced(time.perf_counter() - begun)
                ended()

            # Under the lock: whoever finds it syncing finds the kernel at it, too.
            self._syncing = self._kernel.begin(self._fd, done)
            return self._syncing

    def _wait_for_other(self) -> None:
        """With the condition: wait until another one's sync has ended, or something has changed."""
        if self._kernel is None or not self._kernel.under_way:
            self._cond.wait()
            return
        # The thread that would hear of its end may wait for a lock that this one has.
        self._cond.release()
        try:
            self._kernel.wait()
        finally:
            self._cond.acquire()

    def close(self) -> None:
        """Sync, cut the unused part off, and close; whoever comes later is refused."""
        with self._cond:
            self._closed = True
            spare, self._spare = self._spare, None
        if spare is not None:
            spare.discard()
        if self._fd >= 0:
            self._close_segment()

    def prepare(self) -> None:
        """Make the next segment before it is needed; now and then, by one thread, without the store's lock.

        Else it is made under that lock. If there is no room for it, that is told to who needs it.
        """
        if self._spare is not None or self._offset * _FILLED < self._limit:
            return
        try:
            spare = make_blank(self._directory / _SPARE, self._segment_bytes)
        except OSError:
            return
        with self._cond:
            if not self._closed:
                self._spare = spare
                return
        spare.discard()

    def _write(self, block: bytes) -> None:
        try:
            written = os.pwrite(self._fd, block, self._offset)
        except OSError as error:
            self._abandon_tail(len(block))
            raise JournalFullError(f"cannot write the journal in {self._directory}: {error}") from error
        if written != len(block):
            self._abandon_tail(len(block))
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
        fresh = self.position == self._base + self._offset <= self._synced
        block = frame(b"", self._offset)
        if fresh and self._failure is None and self._offset + len(block) <= self._limit:
            with suppress(JournalFullError):
                self._write(block)

    def _check(self) -> None:
        if self._failure is not None:
            raise JournalError(self._failure)

    def _roll(self, record: int) -> None:
        if self._fd >= 0:
            if self._retired is None and self._take_spare(record):
                return
            self._close_segment()
        self._open_segment(record)

    def _take_spare(self, record: int) -> bool:
        """Go on in the segment that was prepared, without waiting for the disk: whoever syncs next makes both
        of them whole, in their order. False: there is none, or it is too small.
        """
        with self._cond:
            spare = self._spare
            if spare is None or spare.stamped + record > spare.room:
                return False
            self._spare = None
            self._retired = _Retired(self._fd, self._offset, spare)
            self._fd, self._stamped, self._limit = spare.fd, spare.stamped, spare.room
            self._base += self._offset
            self._offset = spare.stamped
            return True

    def _finish_retired(self, retired: _Retired) -> OSError | None:
        """A closed segment is whole on disk before the next one has a name: only the last can have a torn
        tail, and what is in one without a name nobody was told of.
        """
        mark = frame(b"", retired.end)
        try:
            os.fdatasync(retired.fd)
            os.ftruncate(retired.fd, retired.end)
            with suppress(OSError):  # it matters only if it is there
                os.pwrite(retired.fd, mark, retired.end)
            os.fdatasync(retired.fd)
            os.close(retired.fd)
            retired.following.path.rename(self._path(self._number + 1))
            sync_directory(self._directory)
        except OSError as error:
            return error
        self._number += 1
        return None

    def _path(self, number: int) -> Path:
        return self._directory / f"{number:012d}.journal"

    def _close_segment(self) -> None:
        """A closed segment is whole on disk: only the last one can have a torn tail."""
        self.wait_synced(self.position)
        self.mark()
        try:
            os.ftruncate(self._fd, self._offset)
        except OSError as error:
            raise JournalFullError(f"cannot close a journal segment in {self._directory}: {error}") from error
        self.wait_synced(self._base + self._offset)
        with self._cond:
            while self._syncing:
                self._wait_for_other()
        os.close(self._fd)
        self._fd = -1
        self._base += self._offset
        self._offset = self._limit = 0

    def _open_segment(self, record: int) -> None:
        """Begin the next segment, which has room for a record of this many bytes."""
        try:
            made = make_blank(self._path(self._number + 1), self._segment_bytes, record)
            try:
                sync_directory(self._directory)
            except OSError:
                made.discard()
                raise
        except OSError as error:
            raise JournalFullError(f"cannot begin a journal segment in {self._directory}: {error}") from error
        self._number += 1
        self._fd, self._stamped, self._limit = made.fd, made.stamped, made.room
        self._offset = made.stamped
        with self._cond:
            self._synced = self._base + self._offset

    def _abandon_tail(self, size: int) -> None:
        """After a failed write of `size` bytes: what lies behind the last good frame must never be read."""
        with self._cond:
            while self._syncing:
                self._wait_for_other()
        try:
            os.ftruncate(self._fd, self._offset)
        except OSError as error:
            # A disk that became read-only lets nothing be undone; but then nothing was written.
            if not self._is_blank(size):
                self._failure = f"cannot undo a failed write in {self._directory}: {error}"
        self._limit = self._offset

    def _is_blank(self, size: int) -> bool:
        try:
            return not os.pread(self._fd, size, self._offset).strip(b"\0")
        except OSError:
            return False
