"""The files that are whole: `files/<first two digits>/<SHA-256>`, and `….json` beside each.

A file is here if both are. What is said of it takes its name first, then the content does, and that moment
is the one at which it appears; it goes the other way round. So a kill at any moment leaves a whole file,
or something that the next start removes.

Locks: `changing` is held while files on disk come and go. Who needs a transaction of the records
as well takes it inside, and asks or changes no more than the index there.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from common.model import Now
from common.trust import write_private
from master.files.entry import SHA256, FileEntry, Holding, entry_from
from master.files.index import FileIndex, MemoryIndex
from master.store.exclusion import Exclusion
from master.store.journal import sync_directory

log = logging.getLogger(__name__)

ABOUT = ".json"
UPLOADS = "uploads"
"""The directory, beside those of the whole files, of what is on its way."""
_HIDDEN = timedelta(minutes=2)
"""For which NFS may hide a file that another machine has put; as it comes, it is half a minute."""
_SHARDS = tuple(f"{number:02x}" for number in range(256))
Exclusive = Callable[[str], AbstractContextManager[None]]
"""One at a time under a name; see `master.store.interface.Store.exclusive`."""


class FileStore:
    """All whole files."""

    def __init__(
        self, directory: Path, index: FileIndex | None = None, exclusive: Exclusive | None = None
    ) -> None:
        """`load` finds what is there. `index`, `exclusive`: for several masters; None: there is this one."""
        self.directory = directory
        self.index: FileIndex = MemoryIndex() if index is None else index
        self._exclusive = Exclusion() if exclusive is None else exclusive
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def changing(self) -> AbstractContextManager[None]:
        """Be alone at changing files; the same thread may be so once more."""
        return self._exclusive("files")

    def load(self, now: Now) -> None:
        """Find what is there and not known, and remove what was on its way in or out. OSError if that cannot
        be.
        """
        for name in _SHARDS:
            with self.changing:  # not for all at once: others put files meanwhile
                self._load(self.directory / name, now)

    def get(self, sha256: str) -> FileEntry | None:
        """What is known of a file; None if it is not here."""
        return self.index.get(sha256)

    def all(self) -> Iterator[FileEntry]:
        """Every file, in the order of the hashes."""
        return self.index.beginning_with("", None)

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
            self.index.put(entry)
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
            self.index.put(held)
        return held

    def release(self, entry: FileEntry, owner: str | None) -> None:
        """Take one of several holders away. OSError if the disk refuses."""
        with self.changing:
            left = entry.without(owner)
            self._note(left)
            self.index.put(left)

    def use(self, sha256: str, now: Now) -> None:
        """The file was read, or something refers to it."""
        if self.index.use(sha256, now):
            self._stamp(sha256, now)

    def erase(self, sha256: str) -> None:
        """Remove from disk what the index does not know any more, durably. OSError if that cannot be.

        To be done before `changing` is let go.
        """
        path = self._path(sha256)
        path.unlink(missing_ok=True)
        self._about(sha256).unlink(missing_ok=True)
        sync_directory(path.parent)

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
        names = {each.name for each in os.scandir(shard)} if shard.exists() else set()
        known = {entry.sha256: entry for entry in self.index.beginning_with(shard.name, None)}
        for gone in sorted(known.keys() - names):
            if not self._may_hide(known[gone], now):
                log.error("the file %s is gone from %s", gone, shard)
                self.index.remove(gone)
        for name in sorted(names - known.keys()):
            if SHA256.fullmatch(name):
                self._load_one(name, now, described=f"{name}{ABOUT}" in names)
            elif name.removesuffix(ABOUT) not in names:
                # Half of what was on its way in or out; nobody was told of it.
                (shard / name).unlink(missing_ok=True)

    def _may_hide(self, entry: FileEntry, now: Now) -> bool:
        """Whether a file that no directory names is there: NFS shows late what another machine has put."""
        return now.wall - entry.used.wall < _HIDDEN or self._path(entry.sha256).exists()

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
        self.index.put(entry)

    def _path(self, sha256: str) -> Path:
        return self.directory / sha256[:2] / sha256

    def _about(self, sha256: str) -> Path:
        return self.directory / sha256[:2] / f"{sha256}{ABOUT}"


def _used(path: Path, now: Now) -> Now:
    """When it was used last, on the clock of this start; a time to come is now."""
    wall = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    age = max(timedelta(0), now.wall - wall)
    return Now(now.wall - age, now.mono - age.total_seconds())
