"""What is known of the stored files: in this process, or where all masters look it up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from sortedcontainers import SortedDict

from common.model import Now
from master.files.entry import FileEntry

_NOTE_EVERY = 3600.0
"""Seconds by which the time of the last use on disk may lag behind."""


class FileIndex(Protocol):
    """Kept up by whoever changes files, and he is alone at that; anybody may ask meanwhile."""

    @property
    def size(self) -> int:
        """Bytes of all files."""

    @property
    def count(self) -> int:
        """How many there are."""

    def get(self, sha256: str) -> FileEntry | None:
        """What is known of a file; None if it is not here."""

    def keep(self, sha256: str) -> FileEntry | None:
        """The same; and as long as the transaction lasts that this is asked in, nobody removes it."""

    def seize(self, sha256: str) -> FileEntry | None:
        """The same, for whoever may remove it: nobody comes to refer to it before the transaction has ended.

        `unavailable` if somebody does just now.
        """

    def beginning_with(self, prefix: str, after: str | None) -> Iterator[FileEntry]:
        """Files whose hash begins with `prefix`, behind the hash `after`, in the order of the hashes."""

    def put(self, entry: FileEntry) -> None:
        """It is here, or more is known of it."""

    def remove(self, sha256: str) -> None:
        """It is not here any more."""

    def use(self, sha256: str, now: Now) -> bool:
        """It was read, or something refers to it; whether the disk is to hear of it as well."""

    def age(self, sha256: str, now: Now) -> float | None:
        """Seconds since it was put, read or referred to last; None if it is not here."""

    def unused(self, now: Now, seconds: float) -> list[str]:
        """The hashes of those that were not used for longer than that, oldest use first."""

    def take_fresh(self) -> list[str]:
        """The hashes of the files that nodes put here since this was asked last."""

    def put_for(self, job_id: str) -> list[str]:
        """The hashes of the files that nodes put here for a job, and for no other since."""


class MemoryIndex:
    """In this process: whoever asks in a transaction is alone anyway, and `keep` and `seize` cost nothing."""

    def __init__(self) -> None:
        self._entries: SortedDict = SortedDict()  # by SHA-256
        self._lock = threading.Lock()
        self._noted: dict[str, float] = {}
        self._fresh: list[str] = []
        self._for: dict[str, set[str]] = {}  # by job: what a node put for it last
        self.size = 0

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._entries)

    def get(self, sha256: str) -> FileEntry | None:
        """What is known of a file; None if it is not here."""
        with self._lock:
            entry: FileEntry | None = self._entries.get(sha256)
        return entry

    keep = seize = get

    def beginning_with(self, prefix: str, after: str | None) -> Iterator[FileEntry]:
        """Files whose hash begins with `prefix`, behind the hash `after`, in the order of the hashes."""
        with self._lock:
            first = prefix if after is None else max(prefix, f"{after}0")
            found = [self._entries[key] for key in self._entries.irange(first, f"{prefix}g")]
        return iter(found)

    def put(self, entry: FileEntry) -> None:
        """It is here, or more is known of it."""
        with self._lock:
            before = self._entries.get(entry.sha256)
            self.size += entry.size - (0 if before is None else before.size)
            self._index_job(before, entry)
            self._entries[entry.sha256] = entry
            self._noted[entry.sha256] = entry.used.mono
            if entry.job_id is not None:
                self._fresh.append(entry.sha256)

    def remove(self, sha256: str) -> None:
        """It is not here any more."""
        with self._lock:
            entry = self._entries.pop(sha256, None)
            self._noted.pop(sha256, None)
            if entry is not None:
                self.size -= entry.size
                self._index_job(entry, None)

    def use(self, sha256: str, now: Now) -> bool:
        """It was read, or something refers to it; the disk is to hear of it now and then only."""
        with self._lock:
            entry = self._entries.get(sha256)
            if entry is None:
                return False
            self._entries[sha256] = replace(entry, used=now)
            if now.mono - self._noted.get(sha256, -_NOTE_EVERY) < _NOTE_EVERY:
                return False
            self._noted[sha256] = now.mono
        return True

    def age(self, sha256: str, now: Now) -> float | None:
        """Seconds since it was used last, by the clock that nobody sets."""
        entry = self.get(sha256)
        return None if entry is None else now.mono - entry.used.mono

    def unused(self, now: Now, seconds: float) -> list[str]:
        """The hashes of those that were not used for longer than that, oldest use first."""
        with self._lock:
            old = [entry for entry in self._entries.values() if now.mono - entry.used.mono > seconds]
        return [entry.sha256 for entry in sorted(old, key=lambda entry: entry.used.mono)]

    def take_fresh(self) -> list[str]:
        """The hashes of the files that nodes put here since this was asked last."""
        with self._lock:
            fresh, self._fresh = self._fresh, []
        return fresh

    def put_for(self, job_id: str) -> list[str]:
        """The hashes of the files that nodes put here for a job, and for no other since."""
        with self._lock:
            return sorted(self._for.get(job_id, ()))

    def _index_job(self, old: FileEntry | None, new: FileEntry | None) -> None:
        """Keep up which files were put for which job. To be called with the lock."""
        if old is not None and old.job_id is not None:
            others = self._for.get(old.job_id, set())
            others.discard(old.sha256)
            if not others:
                self._for.pop(old.job_id, None)
        if new is not None and new.job_id is not None:
            self._for.setdefault(new.job_id, set()).add(new.sha256)
