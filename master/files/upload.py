"""One file on its way in: what its sender said of it, and how far it is."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common import problems
from common.model import UploadStatus
from master.files.entry import FileEntry


@dataclass(frozen=True, slots=True)
class Announced:
    """What a sender says before it sends."""

    sha256: str
    size: int
    """Bytes."""
    sender: str
    """Who may go on with it."""
    owner: str | None
    """Whom the file will belong to; None: the operators."""
    name: str | None = None
    media_type: str | None = None
    job_id: str | None = None
    """The job that a node sends it for."""

    def same_content(self, other: Announced) -> bool:
        """Whether both are the same file from the same sender, for the same owner."""
        return (self.sha256, self.size, self.sender, self.owner) == (
            other.sha256,
            other.size,
            other.sender,
            other.owner,
        )


@dataclass(slots=True)
class Upload:
    """One upload. All but `id` and `announced` is guarded by `lock`."""

    id: str
    announced: Announced
    part: Path
    offset: int = 0
    """Bytes that are on disk."""
    heard: float = 0.0
    """When its newest chunk came, on the clock that nobody sets."""
    status: UploadStatus = UploadStatus.RECEIVING
    wrong: bool = False
    """Whether it was something else than was announced; then it is gone."""
    ended: bool = False
    """Whether nothing can be added, and nothing of it is left in the directory of uploads."""
    entry: FileEntry | None = None
    """The file that it became."""
    digest: Any = field(default_factory=hashlib.sha256)
    hashed: int = 0
    """Bytes that `digest` has seen."""
    reading: bool = False
    """Whether what had come before a restart is being read again."""
    lock: threading.Lock = field(default_factory=threading.Lock)


def check_right(upload: Upload) -> None:
    """`wrong_hash` if what was sent is not what was announced."""
    if upload.wrong:
        raise problems.WRONG_HASH(
            f"What was sent has not the SHA-256 {upload.announced.sha256}, and nothing of it is kept. "
            "Was the file changed meanwhile? Send it again."
        )
