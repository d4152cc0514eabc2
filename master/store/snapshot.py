"""Snapshots: closed journal segments folded into one file, by a process of its own.

The live dicts are never touched: the process replays the closed segments onto those records of the last
snapshot that they concern, writes the next one beside it, renames it into place, and then removes the
segments that it covers. Requests never wait for any of this.

A snapshot is a header, one frame for each record, and a frame with their number.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from common.locks import hold
from common.model import Actor, Job
from master.lifecycle import Record, carry_out
from master.lifecycle.audit import Entry, entry
from master.lifecycle.events import Event, HistoryRewound, RecordKey
from master.store import codec, formats, journal
from master.store.audit import AuditFiles
from master.store.frames import frame, parse_frame, payload_of
from master.store.merging import Records, concerned, merged
from master.store.segments import number_of, read_segment, segments, what_to_do

NAME = "snapshot"
_INHERITED = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE")
"""What of the master's environment the snapshot process gets."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a snapshot stands for."""

    covers: int = 0
    """The last segment that it covers."""
    history: int = 0
    """How many events led to its records, since the beginning."""
    records: Sequence[Record] = ()


@dataclass(frozen=True, slots=True)
class Next:
    """A snapshot that is made while it is written."""

    covers: int
    history: int
    records: Iterable[Record | bytes]
    """Bytes: one as it is on disk, in the current format."""


def write(directory: Path, snapshot: Snapshot | Next) -> None:
    """Replace the snapshot, durably: it then stands for all segments that it covers."""
    journal.replace_file(directory / NAME, (frame(payload, 0) for payload in _written(snapshot)))


def _written(snapshot: Snapshot | Next) -> Iterator[bytes]:
    yield formats.stamp(covers=snapshot.covers, history=snapshot.history)
    count = 0
    for record in snapshot.records:
        yield record if isinstance(record, bytes) else codec.encode_record(record)
        count += 1
    yield json.dumps({"records": count}).encode()


@contextmanager
def alone(directory: Path, patience: float) -> Iterator[None]:
    """Hold the lock under which snapshot and closed segments are read and replaced.

    A snapshot process may outlive the master that started it. `JournalError` if it still
    works after `patience` seconds.
    """
    try:
        fd = hold(directory / "fold.lock", patience)
        owner = directory.stat()
        if os.geteuid() == 0 != owner.st_uid:
            # Made by root for a look at the journal, it must not be closed to the master.
            os.fchown(fd, owner.st_uid, owner.st_gid)
    except BlockingIOError:
        raise journal.JournalError(
            f"another process still makes a snapshot in {directory}; wait for it, or end it"
        ) from None
    try:
        yield
    finally:
        os.close(fd)


class Stored:
    """A snapshot that is read frame by frame, for as long as its file is open."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        """`JournalError` if a newer program made it, or if its header cannot be read."""
        self._path = path
        self._frames = _payloads(path, file)
        with self._legible():
            header = json.loads(next(self._frames, b""))
            if (refusal := formats.refusal(header)) is not None:
                raise journal.JournalError(f"{path} {refusal}")
            self.format = int(header["format"])
            self.covers = int(header["covers"])
            self.history: int | None = int(header["history"]) if "history" in header else None
            """None: it is of format 1, which did not count the events."""

    def payloads(self) -> Iterator[bytes]:
        """All records as JSON, in order. `JournalError` where it is damaged, or at its end if it is short."""
        count, newest = 0, None
        for payload in self._frames:
            if newest is not None:
                yield newest
                count += 1
            newest = payload
        with self._legible():
            if newest is None or json.loads(newest).get("records") != count:
                raise journal.JournalError(f"{self._path} is incomplete; {what_to_do(self._path)}")

    def record(self, payload: bytes) -> Record:
        """One of its records. `JournalError` if it is none."""
        with self._legible():
            return codec.decode_record(payload, self.format)

    @contextmanager
    def _legible(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise journal.JournalError(
                f"{self._path} cannot be read: {error}; {what_to_do(self._path)}"
            ) from error


@contextmanager
def opened(directory: Path) -> Iterator[Stored | None]:
    """The snapshot; None if there is none."""
    path = directory / NAME
    if not path.exists():
        yield None
        return
    with path.open("rb") as file:
        yield Stored(path, file)


def read(directory: Path) -> Snapshot:
    """The snapshot, with all its records; an empty one if there is none.

    `JournalError` if it is damaged or made by a newer program.
    """
    with opened(directory) as stored:
        if stored is None:
            return Snapshot()
        records = [stored.record(payload) for payload in stored.payloads()]
        history = least_history(records) if stored.history is None else stored.history
        return Snapshot(stored.covers, history, records)


def header(directory: Path) -> tuple[int, int]:
    """The last segment that the snapshot covers, and how many events led to it; without its records.

    `JournalError` as for `read`.
    """
    try:
        with (directory / NAME).open("rb") as file:
            found = parse_frame(file.readline(), 0)
        stamped = json.loads(found.payload) if found is not None else {}
        if formats.refusal(stamped) is None:
            return int(stamped["covers"]), int(stamped["history"])
    except FileNotFoundError:
        return 0, 0
    except (ValueError, LookupError, TypeError, AttributeError):
        pass  # format 1 did not count the events; and what is wrong with a damaged one is said below
    whole = read(directory)
    return whole.covers, whole.history


def least_history(records: Sequence[Record]) -> int:
    """How many events led to `records` at least: for format 1, which did not count them.

    No attempt may be numbered higher than the history is long.
    """
    attempts = (record.attempt for record in records if isinstance(record, Job))
    return len(records) + sum(attempt.number for attempt in attempts if attempt is not None)


def _payloads(path: Path, file: BinaryIO) -> Iterator[bytes]:
    """What is in the frames of a file. None has a line's end in it: what is written is JSON."""
    offset = 0
    for line in file:
        payload = payload_of(line)
        if payload is None:
            raise journal.JournalError(f"{path} is damaged at offset {offset}; {what_to_do(path)}")
        yield payload
        offset += len(line)


Recorded = tuple[Actor | None, Sequence[Event]]
"""A transaction, and who brought it about; None: nobody noted who it was."""


def transactions_after(directory: Path, covers: int, upto: int | None = None) -> Iterator[Sequence[Event]]:
    """As `recorded_after`, without who brought them about."""
    return (events for _, events in recorded_after(directory, covers, upto))


def recorded_after(directory: Path, covers: int, upto: int | None = None) -> Iterator[Recorded]:
    """The transactions behind segment `covers`, in order; up to a closed segment, or all.

    `JournalError` if a segment is damaged or missing, or written by a newer program.
    """
    for path, offset, payload, written in payloads_after(directory, covers, upto):
        yield decoded(path, offset, payload, written)


def decoded(path: Path, offset: int, payload: bytes, written: int) -> Recorded:
    """A transaction that was found there. `JournalError` if it is none."""
    try:
        return codec.decode_recorded(payload, written)
    except codec.CodecError as error:
        raise journal.JournalError(f"{path} at offset {offset}: {error}") from error


def payloads_after(
    directory: Path, covers: int, upto: int | None = None
) -> Iterator[tuple[Path, int, bytes, int]]:
    """The transactions as they are in the segments: where each is, itself, and in which format."""
    paths = [path for path in segments(directory) if number_of(path) > covers]
    last = paths[-1] if paths and upto is None else None
    for expected, path in enumerate(paths, start=covers + 1):
        if upto is not None and number_of(path) > upto:
            return
        if number_of(path) != expected:
            raise journal.JournalError(
                f"journal segment {expected} is missing in {directory}; {what_to_do(path)}"
            )
        segment = read_segment(path, last=path == last)
        for offset, payload in segment.records:
            yield path, offset, payload, segment.format or formats.FORMAT


def advance(directory: Path, old: Snapshot, upto: int | None = None) -> Snapshot:
    """What `old` and the segments behind it lead to: up to a closed one, or all.

    `JournalError` as for `transactions_after`.
    """
    records: dict[RecordKey, Record] = {(type(record), record.id): record for record in old.records}
    history = old.history
    for events in transactions_after(directory, old.covers, upto):
        put(records, events)
        history = length_after(history, events)
    last = max([old.covers, *map(number_of, segments(directory))]) if upto is None else upto
    return Snapshot(last, history, list(records.values()))


def fold(directory: Path, upto: int, patience: float = 0.0) -> None:
    """Make the snapshot that covers the segments up to `upto`, and remove these.

    What happened in them is in the audit's files before the snapshot is replaced.
    It holds the lock all the while, for which it waits up to `patience` seconds. If another
    fold came first and went further, there is nothing left to do.
    """
    with alone(directory, patience):
        covers, history = header(directory)
        if upto > covers:
            touched: set[RecordKey] = set()
            recorded = _noted(recorded_after(directory, covers, upto), touched)
            AuditFiles(audit_directory(directory)).append(entries(history, recorded))
            with opened(directory) as stored:
                if stored is not None and stored.format != formats.FORMAT:
                    write(directory, advance(directory, read(directory), upto))
                else:
                    write(directory, _next(directory, stored, touched, upto))
        remove_covered(directory, max(upto, covers))


def _noted(recorded: Iterable[Recorded], touched: set[RecordKey]) -> Iterator[Recorded]:
    """The same; the keys of all records that something happened to are added to `touched`."""
    for each in recorded:
        touched.update(event.key for event in each[1])
        yield each


def _next(directory: Path, stored: Stored | None, touched: set[RecordKey], upto: int) -> Next:
    """What the snapshot and the segments behind it lead to. It is read twice, and never held in memory."""
    records = Records()
    covers, history = (0, 0) if stored is None else (stored.covers, stored.history or 0)
    if stored is not None:
        with opened(directory) as first:
            assert first is not None  # noqa: S101 - nobody else removes it under the lock
            records = concerned(first.payloads(), touched, first.record)
    for events in transactions_after(directory, covers, upto):
        put(records, events)
        history = length_after(history, events)
    if stored is None:
        return Next(upto, history, records.values())
    return Next(upto, history, merged(stored.payloads(), touched, records, stored.record))


def audit_directory(directory: Path) -> Path:
    """Where the audit's files are that belong to the journal in `directory`."""
    return directory.with_name("audit")


def entries(history: int, recorded: Iterable[Recorded]) -> Iterator[Entry]:
    """The audit's entries of what was recorded when the history was this long."""
    for actor, events in recorded:
        for event in events:
            history = length_after(history, [event])
            yield entry(history, actor, event)


def remove_covered(directory: Path, covers: int) -> None:
    """Remove the segments that the snapshot stands for, up to number `covers`."""
    for path in segments(directory):
        if number_of(path) <= covers:
            path.unlink()
    journal.sync_directory(directory)


def length_after(history: int, events: Iterable[Event]) -> int:
    """How long the history is after `events`: one longer for each, and longer than one that was lost."""
    for event in events:
        history = max(history, event.heard if isinstance(event, HistoryRewound) else 0) + 1
    return history


def put(records: MutableMapping[RecordKey, Record], events: Iterable[Event]) -> None:
    """Bring `records` up to date with `events`. TypeError if they do not fit."""
    for key, record in carry_out(records.get, events).items():
        if record is None:
            records.pop(key, None)
        else:
            records[key] = record


def spawn_fold(directory: Path, upto: int) -> subprocess.Popen[bytes]:
    """Start `fold` in a process of its own, at low priority; the master's secrets are not handed on."""
    # -P: the current directory is nobody's to load programs from.
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    ours = str(Path(__file__).parents[2])  # sys.path may name it as the current directory only
    environment["PYTHONPATH"] = os.pathsep.join([*filter(None, sys.path), ours])
    return subprocess.Popen(  # noqa: S603 - our own program, and no shell
        [sys.executable, "-P", "-m", "master.store.snapshot", str(directory), str(upto)],
        env=environment,
        stdin=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    os.nice(10)
    gc.disable()  # records hold no cycles
    try:
        # A backup may be reading; it is soon done.
        fold(Path(sys.argv[1]), int(sys.argv[2]), patience=60)
    except (journal.JournalError, OSError) as error:
        sys.exit(f"snapshot: {error}")
