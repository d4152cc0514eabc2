"""Files on their way in: `uploads/<id>.part`, and `….json` beside each, which says what it will be.

The hash is made while chunks arrive. A hash cannot be kept across a restart, so what had come before is
read again then, by one thread of its own, while further chunks arrive; no request waits for
more than its own chunk. Each offset that is told is on disk.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from common import problems
from common.clock import Clock
from common.model import Now, Role, UploadStatus
from common.trust import write_private
from master.files.entry import FileEntry, Holding
from master.files.room import Room
from master.files.store import ABOUT, UPLOADS, FileStore
from master.files.upload import Announced, Upload, check_right
from master.store.journal import sync_directory

log = logging.getLogger(__name__)

KEEP = 86400.0
"""Seconds after its newest chunk that an upload can be gone on with."""
MOST = 256
"""Unfinished uploads of one sender."""
_REMEMBERED = 1000
"""Ended uploads of which it is known for a while how they ended."""
_PIECE = 1024 * 1024
PART = ".part"


class Uploads:
    """All uploads."""

    def __init__(self, store: FileStore, room: Room, clock: Clock, new_id: Callable[[], str]) -> None:
        """Find those that can be gone on with; remove the rest. OSError if that cannot be."""
        self._store, self._room, self._clock, self._new_id = store, room, clock, new_id
        self._directory = store.directory / UPLOADS
        self._lock = threading.Lock()
        self._open: dict[str, Upload] = {}
        self._ended: OrderedDict[str, Upload] = OrderedDict()
        self._closing = threading.Event()
        self._reader = ThreadPoolExecutor(1, "files-reader")
        self._directory.mkdir(exist_ok=True, mode=0o700)
        self._load()

    @property
    def held(self) -> int:
        """Bytes of the store, whole or not."""
        with self._lock:
            return self._store.index.size + sum(upload.offset for upload in self._open.values())

    def close(self) -> None:
        """End what is read again; it begins anew at the next start."""
        self._closing.set()
        self._reader.shutdown(wait=True, cancel_futures=True)

    def begin(self, announced: Announced) -> Upload:
        """A new upload, or the one that this sender began of the same file.

        `files_full` if it does not fit, `too_many` if the sender has very many; OSError if the disk refuses.
        """
        with self._lock:
            mine = [u for u in self._open.values() if u.announced.sender == announced.sender]
            found = next((u for u in mine if u.announced.same_content(announced)), None)
        if found is not None:
            return found
        if len(mine) >= MOST:
            raise problems.TOO_MANY(
                f"{MOST} uploads of yours are unfinished; finish or end some (DELETE /files/uploads/<id>)."
            )
        self._room.check(self.held, announced.size)
        upload = self._make(announced)
        with self._lock:
            self._open[upload.id] = upload
        if announced.size == 0:
            with self._alone(upload):
                self._settle(upload)
        return upload

    def get(self, upload_id: str) -> Upload | None:
        """The upload with this id, also one that ended a while ago; None if there is none."""
        with self._lock:
            return self._open.get(upload_id) or self._ended.get(upload_id)

    def append(self, upload: Upload, offset: int, chunk: bytes) -> None:
        """Keep the bytes that begin at `offset`. The last ones make it a file, or `wrong_hash`.

        `wrong_offset` says where it goes on; `files_full`; OSError if the disk refuses, and then
        the chunk can be sent again.
        """
        with self._alone(upload):
            if upload.ended or offset != upload.offset:
                raise problems.WRONG_OFFSET(
                    f"The upload goes on at {upload.offset}, not at {offset}.", offset=upload.offset
                )
            if offset + len(chunk) > upload.announced.size:
                raise problems.INVALID(
                    f"That is more than the {upload.announced.size} bytes that were announced."
                )
            self._room.check(self.held, len(chunk))
            _write(upload.part, offset, chunk)
            upload.offset += len(chunk)
            upload.heard = self._clock().mono
            if upload.hashed == offset and not upload.reading:
                upload.digest.update(chunk)
                upload.hashed = upload.offset
                if upload.offset == upload.announced.size:
                    self._settle(upload)
            else:
                self._read_again(upload)
        check_right(upload)

    def nudge(self, upload: Upload) -> None:
        """Try again what the disk refused when all had come."""
        with self._alone(upload):
            if upload.status is UploadStatus.CHECKING and not upload.ended:
                self._read_again(upload)

    def abandon(self, upload: Upload) -> None:
        """End an upload; nothing of it stays."""
        with self._alone(upload):
            if not upload.ended:
                self._end(upload, remember=False)

    def tidy(self, now: Now) -> None:
        """End the uploads that nobody has gone on with for long."""
        with self._lock:
            old = [upload for upload in self._open.values() if now.mono - upload.heard > KEEP]
        for upload in old:
            log.info("upload %s was not gone on with, and is removed", upload.id)
            self.abandon(upload)

    @contextmanager
    def _alone(self, upload: Upload) -> Iterator[None]:
        """Nobody else changes it meanwhile."""
        with upload.lock:
            yield

    # Called by whoever is alone at the upload.

    def _settle(self, upload: Upload) -> None:
        """All has come and is hashed: make it a file, or nothing."""
        upload.status = UploadStatus.CHECKING  # if the disk refuses now, it is tried again: see `nudge`
        if upload.digest.hexdigest() != upload.announced.sha256:
            upload.wrong = True
        else:
            told, now = upload.announced, self._clock()
            by_node = told.sender.startswith(f"{Role.NODE}:")
            holding = Holding(told.owner, told.name, told.media_type, now.wall, by_node)
            entry = FileEntry(told.sha256, told.size, (holding,), now, told.job_id)
            upload.entry = self._store.add(upload.part, entry)
            upload.status = UploadStatus.STORED
        self._end(upload, remember=True)

    def _read_again(self, upload: Upload) -> None:
        """Let the reader catch up, if it is not about to."""
        if upload.offset == upload.announced.size:
            upload.status = UploadStatus.CHECKING
        if not upload.reading and not self._closing.is_set():
            upload.reading = True
            self._reader.submit(self._catch_up, upload)

    def _end(self, upload: Upload, *, remember: bool) -> None:
        upload.ended = True
        with self._lock:
            self._open.pop(upload.id, None)
            if remember:
                self._ended[upload.id] = upload
                if len(self._ended) > _REMEMBERED:
                    self._ended.popitem(last=False)
        self._clear(upload)

    def _clear(self, upload: Upload) -> None:
        """Nothing of it stays in the directory."""
        for path in (upload.part, upload.part.with_suffix(ABOUT)):
            with suppress(OSError):  # the next start finds it
                path.unlink(missing_ok=True)

    # In the reader's thread

    def _catch_up(self, upload: Upload) -> None:
        try:
            with upload.part.open("rb") as file:
                file.seek(upload.hashed)
                while not self._closing.is_set() and not self._has_caught_up(upload):
                    # No further than what is acknowledged: what stands behind it may be written anew.
                    piece = file.read(min(_PIECE, upload.offset - upload.hashed))
                    upload.digest.update(piece)
                    upload.hashed += len(piece)
                    if not piece:
                        log.error("%s is shorter than it was", upload.part)
                        return
        except (OSError, problems.Problem) as error:
            log.error("upload %s cannot be read again: %s", upload.id, error)  # noqa: TRY400 - it says it all
        finally:
            upload.reading = False

    def _has_caught_up(self, upload: Upload) -> bool:
        with upload.lock:
            if not upload.ended and upload.hashed < upload.offset:
                return False
        with self._alone(upload):
            if upload.ended:
                return True  # it was abandoned
            if upload.hashed < upload.offset:
                return False
            if upload.status is UploadStatus.CHECKING:
                self._settle(upload)
            upload.reading = False
            return True

    def _make(self, announced: Announced) -> Upload:
        upload_id = self._new_id()
        part = self._directory / f"{upload_id}{PART}"
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        # Makes the directory durable, and with it the name of the part.
        write_private(part.with_suffix(ABOUT), json.dumps(asdict(announced)).encode())
        return Upload(upload_id, announced, part, heard=self._clock().mono)

    def _load(self) -> None:
        now = self._clock()
        for path in sorted(self._directory.iterdir()):
            if path.suffix != ABOUT:
                if not path.with_suffix(ABOUT).exists() or path.suffix != PART:
                    path.unlink(missing_ok=True)
                continue
            upload = self._found(path, now)
            if upload is None:
                for each in (path, path.with_suffix(PART)):
                    each.unlink(missing_ok=True)
                continue
            self._open[upload.id] = upload
            if upload.offset == upload.announced.size:
                with self._alone(upload):
                    self._read_again(upload)
        sync_directory(self._directory)

    def _found(self, about: Path, now: Now) -> Upload | None:
        """The upload that an earlier start of the master left; None if it cannot be gone on with."""
        part = about.with_suffix(PART)
        try:
            announced = Announced(**json.loads(about.read_bytes()))
            there = part.stat()
        except (ValueError, TypeError, FileNotFoundError):
            return None
        age = max(0.0, now.wall.timestamp() - there.st_mtime)
        if there.st_size > announced.size or age > KEEP:
            return None
        return Upload(about.stem, announced, part, there.st_size, now.mono - age)


def _write(part: Path, offset: int, chunk: bytes) -> None:
    """On disk, all or (as far as anybody is told) nothing: what stays of a failure is written over."""
    fd = os.open(part, os.O_WRONLY | os.O_CLOEXEC)
    try:
        with memoryview(chunk) as rest:
            done = 0
            while done < len(chunk):
                done += os.pwrite(fd, rest[done:], offset + done)
        os.fdatasync(fd)
    finally:
        os.close(fd)
