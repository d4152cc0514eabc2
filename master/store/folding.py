"""When the journal is folded: closed segments and the last snapshot become the next one."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Sequence
from pathlib import Path

from common.model import Now
from master.store import segments, snapshot

log = logging.getLogger(__name__)

FOLD_AFTER = 16
"""Closed segments that are folded into a new snapshot, however large it is."""
FOLD_BYTES = 1024 * 1024
"""Of closed segments that are worth a process."""
FOLD_SHARE = 8
"""Closed segments are folded as soon as they have this part of the snapshot's size: an eighth."""
FOLD_AGE = 86400.0
"""Seconds after which closed segments are folded in any case: the snapshot may hold much that is gone."""
MAX_FOLD_PAUSE = 600.0
"""Seconds between two tries of a snapshot process that fails; the pause doubles up to this."""


class Folding:
    """Starts the snapshot process when there is enough to fold, one at a time."""

    def __init__(self, directory: Path) -> None:
        """For the journal in `directory`."""
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self._failures = 0
        self._not_before = 0.0
        self._overdue_at: float | None = None

    def step(self, writing: int, now: Now) -> None:
        """Look after the process, and start one if need be; segment `writing` is not closed yet."""
        if self._process is not None:
            if self._process.poll() is None:
                return
            self._after(self._process.returncode, now)
            self._process = None
        if self._overdue_at is None:
            self._overdue_at = now.mono + FOLD_AGE
        closed = [p for p in segments.segments(self._directory) if segments.number_of(p) < writing]
        wanted = len(closed) >= FOLD_AFTER or self._pays(closed) or now.mono >= self._overdue_at
        if closed and wanted and now.mono >= self._not_before:
            self._process = snapshot.spawn_fold(self._directory, segments.number_of(closed[-1]))
            self._overdue_at = now.mono + FOLD_AGE

    def _pays(self, closed: Sequence[Path]) -> bool:
        """Whether writing a snapshot is little work beside replaying `closed` at the next start."""
        return sum(map(_size, closed)) >= max(FOLD_BYTES, _size(self._directory / "snapshot") / FOLD_SHARE)

    def _after(self, status: int, now: Now) -> None:
        self._failures = self._failures + 1 if status else 0
        if status:
            pause = min(MAX_FOLD_PAUSE, 2.0**self._failures)
            self._not_before = now.mono + pause
            log.error("the snapshot process ended with %s; it is tried again in %d s", status, pause)


def _size(path: Path) -> int:
    """In bytes; 0 if it is not there, or not any more: the fold of an earlier master may still work."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
