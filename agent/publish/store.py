"""The master's file store, as publishing needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class FileStore(Protocol):
    """Where files go that anybody may fetch from the master."""

    def put(self, path: Path) -> str:
        """Send the file, unless the store has it; its SHA-256, as the store has counted it.

        `OutputFailedError` if the store takes it not. Ends early if the attempt is aborted.
        """
        ...
