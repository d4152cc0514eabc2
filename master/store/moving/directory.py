"""A state directory as a place that records are moved from, or to."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path

from common.locks import hold
from common.model import Now
from common.timestamps import parse_timestamp
from master.lifecycle import Record
from master.lifecycle.audit import Entry
from master.store import snapshot
from master.store.audit import AuditFiles
from master.store.blocks import SUFFIX, DamagedError
from master.store.journal import sync_directory
from master.store.loading import load
from master.store.moving import left
from master.store.moving.contents import Reading
from master.store.moving.left import Departure
from master.store.moving.move import MoveError
from master.store.restored import restored_marker
from master.store.state import State

_AT_ONCE = 20_000
"""Entries of the history that are written together."""


class Directory:
    """See `master.store.moving.move.Place`."""

    def __init__(self, path: Path) -> None:
        """The directory may be missing, if records are to be moved to it."""
        self.path = path.resolve()
        self.name = str(self.path)

    @contextmanager
    def held(self, *, make: bool) -> Iterator[None]:
        """Hold the lock that a master of this directory has; what was interrupted here is put in order."""
        if make:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.path.is_dir():
            raise MoveError(f"there is no directory {self.name}")
        try:
            lock = hold(self.path / "lock", 0.0)
        except BlockingIOError:
            raise MoveError(f"a master uses {self.name}; stop it first") from None
        try:
            left.arrive(self.path)
            left.set_aside(self.path)
            if (self.path / left.UNFINISHED).exists():
                shutil.rmtree(self.path / left.UNFINISHED)
            yield
        finally:
            os.close(lock)

    def departure(self) -> Departure | None:
        """Where the records went that were here."""
        return left.departure(self.path)

    def is_empty(self) -> bool:
        """Whether no master keeps records here."""
        return not left.has_records(self.path)

    def reading(self) -> Reading:
        """What is here. `JournalError` if it is damaged."""
        if self.is_empty():
            raise MoveError(f"there is no journal in {self.name}; name a master's state directory")
        if restored_marker(self.path):
            raise MoveError(
                f"{self.name} was restored from a copy, and no master has started from it: start one, stop "
                "it, and move the records then"
            )
        return Kept(self.path / "journal")

    @contextmanager
    def filled(self, reading: Reading) -> Iterator[Reading]:
        """Take over what is read, and yield what is here then; it counts when that has ended well."""
        unfinished = self.path / left.UNFINISHED
        (unfinished / "journal").mkdir(mode=0o700, parents=True)
        snapshot.write(unfinished / "journal", snapshot.Next(0, reading.history, reading.records()))
        _write_history(unfinished / "audit", reading.entries())
        yield Kept(unfinished / "journal")
        sync_directory(unfinished)
        unfinished.rename(self.path / left.READY)
        sync_directory(self.path)
        left.arrive(self.path)

    def leave(self, gone: Departure) -> None:
        """The records are elsewhere from now on; what was here is kept under other names."""
        left.leave(self.path, gone)


class Kept:
    """What snapshot, journal and audit have. It is loaded as a master does."""

    def __init__(self, journal: Path) -> None:
        """`JournalError` if what was acknowledged is damaged."""
        self._journal = journal
        self._state = State()
        load(journal, self._state, Now(datetime.fromtimestamp(0).astimezone(), 0.0))
        self.history = self._state.history

    def records(self) -> Iterator[Record]:
        """See `master.store.moving.contents.Reading`."""
        state = self._state
        yield state.farm
        yield from state.nodes.values()
        yield from state.tokens.values()
        yield from state.webhooks.values()
        jobs = 0
        for jobs, job in enumerate(state.jobs.in_order(), start=1):  # noqa: B007 - it is compared below
            yield job
        if jobs != len(state.jobs):
            raise MoveError("two jobs have the same place in the queue; please tell the developers")

    def entries(self) -> Iterator[Entry]:
        """See `Reading`. MoveError if some of it cannot be read."""
        last = 0
        for entry in self._all_entries():
            if entry["seq"] > last:  # a fold that was interrupted has left some in both
                last = entry["seq"]
                yield entry
        if last < self.history:
            raise MoveError(
                f"of {self.history} events the last are missing in {self._journal.with_name('audit')}: "
                "restore that, or start the master once, stop it, and move the records then"
            )

    def _all_entries(self) -> Iterator[Entry]:
        for block in reversed(list(AuditFiles(snapshot.audit_directory(self._journal)).newest_first())):
            if isinstance(block, DamagedError):
                raise MoveError(str(block))
            try:
                yield from map(json.loads, block.lines())
            except DamagedError as error:
                raise MoveError(str(error)) from error
        covers, history = snapshot.header(self._journal)
        yield from snapshot.entries(history, snapshot.recorded_after(self._journal, covers))


def _write_history(directory: Path, entries: Iterable[Entry]) -> None:
    """Write all of it; each file is as old as its newest entry, since by that it is removed in time."""
    files, rest = AuditFiles(directory), iter(entries)
    while some := list(islice(rest, _AT_ONCE)):
        files.append(some)
        newest = max(directory.glob(f"*{SUFFIX}"))
        moment = parse_timestamp(some[-1]["at"]).timestamp()
        os.utime(newest, (moment, moment))
