"""What ffmpeg and the agent said of a job: a bounded text file for each job.

Not journaled: a crash may lose the last lines, and a full disk loses lines, not jobs.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

log = logging.getLogger(__name__)

MAX_BYTES = 256 * 1024
"""Of one job's log; when it grows past twice that, its older half is dropped."""


class LogStore:
    """The logs of all jobs, in one directory."""

    def __init__(self, directory: Path, max_bytes: int = MAX_BYTES) -> None:
        """Keep at most about `max_bytes` for each job."""
        self._directory = directory
        self._max_bytes = max_bytes
        self._lock = threading.Lock()

    def append(self, job_id: str, lines: Sequence[str]) -> None:
        """Add lines; errors of the disk are logged here and go no further."""
        if not lines:
            return
        path = self._path(job_id)
        data = "".join(line.replace("\n", " ") + "\n" for line in lines).encode(errors="replace")
        try:
            with self._lock:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with path.open("ab") as file:
                    file.write(data)
                if path.stat().st_size > 2 * self._max_bytes:
                    path.write_bytes(self._tail(path))
        except OSError as error:
            log.warning("lost %d lines of the log of job %s: %s", len(lines), job_id, error)

    def read(self, job_id: str) -> list[str]:
        """The newest lines, oldest first; none if nothing was said."""
        path = self._path(job_id)
        if not path.exists():
            return []
        # Not splitlines(): a line may have a carriage return or the like in it.
        return self._tail(path).decode(errors="replace").split("\n")[:-1]

    def remove(self, job_id: str) -> None:
        """Forget a job's log; errors of the disk are logged here and go no further."""
        try:
            with self._lock:
                self._path(job_id).unlink(missing_ok=True)
        except OSError as error:
            log.warning("cannot remove the log of job %s: %s", job_id, error)

    def _tail(self, path: Path) -> bytes:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size <= self._max_bytes:
                file.seek(0)
                return file.read()
            file.seek(size - self._max_bytes)
            return file.read().split(b"\n", 1)[-1]

    def _path(self, job_id: str) -> Path:
        return self._directory / job_id[:2] / f"{job_id}.log"
