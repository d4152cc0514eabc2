"""The file store: content by its SHA-256, in the state directory; see docs/files.md and decision 23."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from common.clock import Clock
from master.files.entry import FileEntry, Holding
from master.files.room import Room
from master.files.store import FileStore
from master.files.upload import Upload
from master.files.uploads import Uploads

__all__ = ["FileEntry", "FileStore", "Holding", "Shelf", "Upload", "Uploads"]


class Shelf:
    """All of it: the files that are whole, and those on their way in."""

    def __init__(self, directory: Path, quota: int | None, clock: Clock, new_id: Callable[[], str]) -> None:
        """Find what is there. `quota`: bytes; None: half of the disk. OSError if it cannot be read."""
        self.store = FileStore(directory, clock())
        self.room = Room(directory, quota)
        self.uploads = Uploads(self.store, self.room, clock, new_id)

    def close(self) -> None:
        """End what works in the background."""
        self.uploads.close()
