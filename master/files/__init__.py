"""The file store: content by its SHA-256, in the state directory; see docs/files.md and decision 23."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from common.clock import Clock
from master.files.entry import FileEntry, Holding
from master.files.room import Room
from master.files.shared import SharedUploads
from master.files.store import FileStore
from master.files.upload import Upload
from master.files.uploads import Uploads

if TYPE_CHECKING:
    from master.store.interface import Store

__all__ = ["FileEntry", "FileStore", "Holding", "Shelf", "Upload", "Uploads"]


class Shelf:
    """All of it: the files that are whole, and those on their way in."""

    def __init__(
        self,
        directory: Path,
        quota: int | None,
        clock: Clock,
        new_id: Callable[[], str],
        records: Store | None = None,
    ) -> None:
        """Find what is there. `quota`: bytes; None: half of the disk. OSError if it cannot be read.

        `records`: of other masters as well, if they are; then the directory is theirs, too.
        """
        if records is None or records.files is None:
            self.store = FileStore(directory)
            self.store.load(clock())
            self.room = Room(directory, quota)
            self.uploads = Uploads(self.store, self.room, clock, new_id)
            return
        self.store = FileStore(directory, records.files, records.exclusive)
        if records.first:  # else the others know what is there
            self.store.load(clock())
        self.room = Room(directory, quota)
        self.uploads = SharedUploads(records.exclusive, self.store, self.room, clock, new_id)

    def close(self) -> None:
        """End what works in the background."""
        self.uploads.close()
