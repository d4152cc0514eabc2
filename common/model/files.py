"""Files on their way into the file store."""

from __future__ import annotations

from enum import StrEnum


class UploadStatus(StrEnum):
    """Where an upload stands."""

    RECEIVING = "receiving"
    """It waits for the rest."""
    CHECKING = "checking"
    """All has come; it is read once more, or waits for the disk."""
    STORED = "stored"
    """It is a file of the store."""
