"""The files that are whole: `files/<first two digits>/<SHA-256>`, and `….json` beside each.

A file is here if both are. What is said of it takes its name first, then the content does, and that moment
is the one at which it appears; it goes the other way round. So a kill at any moment leaves a whole file,
or something that the next start removes.

Locks: `changing` is held while files on disk come and go. Who needs a transaction of the records
as well takes it inside, and calls no more than `forget` and the questions there.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from sortedcontainers import SortedDict

from common.model import Now
from common.trust import write_private
from master.files.entry import SHA256, FileEntry, Holding, entry_from
from master.store.journal import sync_directory

log = logging.getLogger(__name__)

ABOUT = ".json"
UPLOADS = "uploads"
"""The directory, beside those of the whole files, of what is on its way."""
_SHARD = re.compile(r"[0-9a-f]{2}", re.ASCII)
_NOTE_EVERY = 3600.0
"""Seconds by which the time of the last use on disk may lag behind."""


class FileStore:
    """All whole files."""

    def __init__(self, directory: Path, now: Now) -> None:
        """Find what is there, and remove what was on its way in or out. OSError if that cannot be."""
        self.directory = directory
        self.changing = threading.RLock()
        self._entries: SortedDict = SortedDict()  # by SHA-256
        self._index = threading.Lock()
        self._noted: dict[str, float] = {}
        self._bytes = 0
        self._fresh: list[str] = []
        self._for: dict[str, set[str]] = {}  # by job: what a node put for it last
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for shard in sorted(directory.iterdir()):
            if _SHARD.fullmatch(shard.name):
                self._load(shard, now)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return self._bytes

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._entries)

    def get(self, sha256: str) -> FileEntry | None:
        """What is known of a file; None if it is not here."""
        with self._index:
            entry: FileEntry | None = self._entries.get(sha256)
        return entry

    def all(self) -> list[FileEntry]:
        """Every file, in the order of the hashes."""
        with self._index:
            return list(self._entries.values())

    def take_fresh(self) -> list[str]:
        """The hashes of the files that nodes put here since this was asked last."""
        with self._index:
            fresh, self._fresh = self._fresh, []
        return fresh

    def put_for(self, job_id: str) -> list[str]:
        """The hashes of the files that nodes put here for a job, and for no other since."""
        with self._index:
            return sorted(self._for.get(job_id, ()))

    def beginning_with(self, prefix: str, after: str | None) -> Iterator[FileEntry]:
        """Files whose hash begins with `prefix`, behind the hash `after`, in the order of the hashes."""
        with self._index:
            first = prefix if after is None else max(prefix, f"{after}0")
            found = [self._entries[key] for key in self._entries.irange(first, f"{prefix}g")]
        return iter(found)

    def open(self, sha256: str) -> BinaryIO:
        """The content, to read; it stays readable when the file is removed. OSError if it is not there."""
        return self._path(sha256).open("rb")

    def add(self, part: Path, entry: FileEntry) -> FileEntry:
        """Take the whole and synced file `part` in as `entry`, or add its holding to what is here.

        When this returns, it is on disk; `part` is gone. OSError if the disk refuses: then nothing changed.
        """
        (holding,) = entry.holdings
        with self.changing:
            known = self.get(entry.sha256)
            if known is not None:
                held = self.hold(known, holding, entry.used, entry.job_id)
                part.unlink(missing_ok=True)
                return held
            path = self._path(entry.sha256)
            if not path.parent.exists():
                path.parent.mkdir(mode=0o700, exist_ok=True)
                sync_directory(self.directory)
            self._note(entry)
            if part.exists() or not path.exists():  # else a try before this one got so far
                part.replace(path)
            sync_directory(path.parent)
            self._put(entry)
        return entry

    def hold(self, entry: FileEntry, holding: Holding, used: Now, job_id: str | None) -> FileEntry:
        """One more holder, or newer words of one, of a file that is here. OSError if the disk refuses."""
        with self.changing:
            known = self.get(entry.sha256) or entry
            held = FileEntry(
                known.sha256,
                known.size,
                known.with_holding(holding).holdings,
                used,
                known.job_id if job_id is None else job_id,
            )
            self._note(held)
            self._put(held)
        return held

    def release(self, entry: FileEntry, owner: str | None) -> None:
        """Take one of several holders away. OSError if the disk refuses."""
        with self.changing:
            left = entry.without(owner)
            self._note(left)
            self._put(left)

    def use(self, sha256: str, now: Now) -> None:
        """The file was read, or something refers to it. The disk hears of it now and then only."""
        with self._index:
            entry = self._entries.get(sha256)
            if entry is None:
                return
            self._entries[sha256] = FileEntry(entry.sha256, entry.size, entry.holdings, now, entry.job_id)
            if now.mono - self._noted.get(sha256, -_NOTE_EVERY) < _NOTE_EVERY:
                return
            self._noted[sha256] = now.mono
        self._stamp(sha256, now)

    def forget(self, sha256: str) -> None:
        """From now on it is not here; `erase` must follow, before `changing` is let go."""
        with self._index:
            entry = self._entries.pop(sha256, None)
            self._noted.pop(sha256, None)
            if entry is not None:
                self._bytes -= entry.size
                self._index_job(entry, None)

    def erase(self, sha256: str) -> None:
        """Remove from disk what was forgotten, durably. OSError if that cannot be."""
        path = self._path(sha256)
        path.unlink(missing_ok=True)
        self._about(sha256).unlink(missing_ok=True)
        sync_directory(path.parent)

    def _put(self, entry: FileEntry) -> None:
        with self._index:
            before = self._entries.get(entry.sha256)
            self._bytes += entry.size - (0 if before is None else before.size)
            self._index_job(before, entry)
            self._entries[entry.sha256] = entry
            self._noted[entry.sha256] = entry.used.mono
            if entry.job_id is not None:
                self._fresh.append(entry.sha256)

    def _index_job(self, old: FileEntry | None, new: FileEntry | None) -> None:
        """Keep up which files were put for which job. To be called with the index's lock."""
        if old is not None and old.job_id is not None:
            others = self._for.get(old.job_id, set())
            others.discard(old.sha256)
            if not others:
                self._for.pop(old.job_id, None)
        if new is not None and new.job_id is not None:
            self._for.setdefault(new.job_id, set()).add(new.sha256)

    def _note(self, entry: FileEntry) -> None:
        """Write what is known of it, durably."""
        write_private(self._about(entry.sha256), entry.to_json())
        self._stamp(entry.sha256, entry.used)

    def _stamp(self, sha256: str, used: Now) -> None:
        """Let the disk know of the last use; it is no matter if it does not."""
        moment = used.wall.timestamp()
        with suppress(OSError):
            os.utime(self._about(sha256), (moment, moment))

    def _load(self, shard: Path, now: Now) -> None:
        names = {each.name for each in os.scandir(shard)}
        for name in sorted(names):
            if SHA256.fullmatch(name):
                self._load_one(name, now, described=f"{name}{ABOUT}" in names)
            elif name.removesuffix(ABOUT) not in names:
                # Half of what was on its way in or out; nobody was told of it.
                (shard / name).unlink(missing_ok=True)

    def _load_one(self, sha256: str, now: Now, *, described: bool) -> None:
        path, about = self._path(sha256), self._about(sha256)
        size = path.stat().st_size
        try:
            entry = entry_from(
                sha256, about.read_bytes() if described else b"", _used(about if described else path, now)
            )
        except ValueError as error:
            log.warning("%s belongs to the operators now: %s", path, error)
            entry = FileEntry(sha256, size, (Holding(None, None, None, now.wall),), now)
            self._note(entry)
        if entry.size != size:
            log.error("%s has %d bytes, not %d: it is not served; send it again", path, size, entry.size)
            return
        self._put(entry)

    def _path(self, sha256: str) -> Path:
        return self.directory / sha256[:2] / sha256

    def _about(self, sha256: str) -> Path:
        return self.directory / sha256[:2] / f"{sha256}{ABOUT}"


def _used(path: Path, now: Now) -> Now:
    """When it was used last, on the clock of this start; a time to come is now."""
    wall = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    age = max(timedelta(0), now.wall - wall)
    return Now(now.wall - age, now.mono - age.total_seconds())
