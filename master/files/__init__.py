"""The file store: content by its SHA-256, in the state directory; see docs/files.md and decision 23."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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
        shared = records if records is not None and records.files is not None else None
        if shared is None:
            self.store = FileStore(directory)
        else:
            self.store = FileStore(directory, shared.files, shared.exclusive)
        self.room = Room(directory, quota)
        if shared is None or shared.first:
            self.store.load(clock())
        uploads = Uploads if shared is None else partial(SharedUploads, shared.exclusive)
        self.uploads: Uploads = uploads(self.store, self.room, clock, new_id)

    def close(self) -> None:
        """End what works in the background."""
        self.uploads.close()
