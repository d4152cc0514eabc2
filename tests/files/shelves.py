"""The file store in this process: opened again and again, as masters are started again."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from common.model import UploadStatus
from master.files import FileEntry, Shelf, Upload
from master.files.upload import Announced
from tests.core.support import FakeClock
from tests.files.support import sha256_of
from tests.masters import wait_until


class Shelves:
    """One directory, and the shelf that is open on it."""

    def __init__(self, directory: Path, clock: FakeClock) -> None:
        self.directory = directory
        self.clock = clock
        self.quota = 10**9
        self._open: Shelf | None = None

    def open(self) -> Shelf:
        """A new start."""
        self.close()
        self._open = Shelf(self.directory, self.quota, self.clock, lambda: str(uuid.uuid4()))
        return self._open

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def files(self) -> set[str]:
        """What lies in it, by names relative to it."""
        return {str(path.relative_to(self.directory)) for path in self.directory.rglob("*") if path.is_file()}


def announced(data: bytes, **fields: Any) -> Announced:
    return Announced(
        **{"sha256": sha256_of(data), "size": len(data), "sender": "me", "owner": None, **fields}
    )


def put(shelf: Shelf, data: bytes, **fields: Any) -> FileEntry:
    """A file that is stored."""
    upload = shelf.uploads.begin(announced(data, **fields))
    if data:
        shelf.uploads.append(upload, 0, data)
    return stored(upload)


def stored(upload: Upload) -> FileEntry:
    """What the upload becomes."""
    wait_until(lambda: upload.status is UploadStatus.STORED, "the upload is stored")
    assert upload.entry is not None
    return upload.entry


def content_of(shelf: Shelf, sha256: str) -> bytes:
    with shelf.store.open(sha256) as file:
        return file.read()
