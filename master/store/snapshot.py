"""Snapshots: closed journal segments folded into one file, by a process of its own.

The live dicts are never touched: the process replays the closed segments onto the last
snapshot, writes the next one beside it, renames it into place, and then removes
the segments that it covers. Requests never wait for any of this.

A snapshot is a header line, one frame for each record, and a frame with their number.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from common.locks import hold
from master.lifecycle import Record, carry_out
from master.lifecycle.events import Event, HistoryRewound, RecordKey
from master.store import codec, journal

FORMAT = 1
"""Raised when snapshot or journal can no longer be read by the program before."""

_NAME = "snapshot"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a snapshot stands for."""

    covers: int = 0
    """The last segment that it covers."""
    history: int = 0
    """How many events led to its records, since the beginning."""
    records: Sequence[Record] = ()


def write(directory: Path, snapshot: Snapshot) -> None:
    """Replace the snapshot, durably: it then stands for all segments that it covers."""
    header = {"format": FORMAT, "covers": snapshot.covers, "history": snapshot.history}
    payloads = chain(
        [json.dumps(header).encode()],
        map(codec.encode_record, snapshot.records),
        [json.dumps({"records": len(snapshot.records)}).encode()],
    )
    journal.replace_file(directory / _NAME, (journal.frame(payload, 0) for payload in payloads))


@contextmanager
def alone(directory: Path, patience: float) -> Iterator[None]:
    """Hold the lock under which snapshot and closed segments are read and replaced.

    A snapshot process may outlive the master that started it. `JournalError` if it still
    works after `patience` seconds.
    """
    try:
        fd = hold(directory / "fold.lock", patience)
    except BlockingIOError:
        raise journal.JournalError(
            f"another process still makes a snapshot in {directory}; wait for it, or end it"
        ) from None
    try:
        yield
    finally:
        os.close(fd)


def read(directory: Path) -> Snapshot:
    """The snapshot; an empty one if there is none.

    `JournalError` if it is damaged or made by a newer program.
    """
    path = directory / _NAME
    if not path.exists():
        return Snapshot()
    payloads = list(_payloads(path))
    try:
        header, end = json.loads(payloads[0]), json.loads(payloads[-1])
        if header["format"] != FORMAT:
            raise journal.JournalError(
                f"{path} has format {header['format']}, but this program reads {FORMAT}; "
                "use the version that wrote it"
            )
        if len(payloads) < 2 or end.get("records") != len(payloads) - 2:
            raise journal.JournalError(f"{path} is incomplete; restore the state directory from a backup")
        records = [codec.decode_record(payload) for payload in payloads[1:-1]]
        return Snapshot(int(header["covers"]), int(header.get("history", 0)), records)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise journal.JournalError(f"{path} cannot be read: {error}") from error


def _payloads(path: Path) -> Iterator[bytes]:
    data, offset = path.read_bytes(), 0
    while offset < len(data):
        found = journal.parse_frame(data, offset)
        if found is None:
            raise journal.JournalError(
                f"{path} is damaged at offset {offset}; restore the state directory from a backup"
            )
        yield found.payload
        offset = found.end


def transactions_after(directory: Path, covers: int) -> Iterator[list[Event]]:
    """The transactions behind segment `covers`, in order.

    `JournalError` if a segment is damaged or missing.
    """
    paths = [path for path in journal.segments(directory) if number_of(path) > covers]
    for expected, path in enumerate(paths, start=covers + 1):
        if number_of(path) != expected:
            raise journal.JournalError(f"journal segment {expected} is missing in {directory}")
        for offset, payload in journal.read_segment(path, last=path == paths[-1]):
            try:
                yield codec.decode_events(payload)
            except codec.CodecError as error:
                raise journal.JournalError(f"{path} at offset {offset}: {error}") from error


def number_of(segment: Path) -> int:
    """A segment's number, from its name."""
    return int(segment.stem)


def fold(directory: Path, upto: int) -> None:
    """Make the snapshot that covers the segments up to `upto`, and remove these.

    It holds the lock all the while; if another fold came first and went further, there is
    nothing left to do.
    """
    with alone(directory, patience=0):
        old = read(directory)
        covers, history = old.covers, old.history
        records: dict[RecordKey, Record] = {(type(record), record.id): record for record in old.records}
        for path in journal.segments(directory):
            if covers < number_of(path) <= upto:
                for _, payload in journal.read_segment(path, last=False):
                    events = codec.decode_events(payload)
                    _carry_out(records, events)
                    history = length_after(history, events)
        if upto > covers:
            write(directory, Snapshot(upto, history, list(records.values())))
        for path in journal.segments(directory):
            if number_of(path) <= max(covers, upto):
                path.unlink()
        journal.sync_directory(directory)


def length_after(history: int, events: Iterable[Event]) -> int:
    """How long the history is after `events`: one longer for each, and longer than one that was lost."""
    for event in events:
        history = max(history, event.heard if isinstance(event, HistoryRewound) else 0) + 1
    return history


def _carry_out(records: dict[RecordKey, Record], events: Iterable[Event]) -> None:
    for key, record in carry_out(records.get, events).items():
        if record is None:
            records.pop(key, None)
        else:
            records[key] = record


def spawn_fold(directory: Path, upto: int) -> subprocess.Popen[bytes]:
    """Start `fold` in a process of its own, at low priority."""
    # -P: the current directory is nobody's to load programs from.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(  # noqa: S603 - our own program, and no shell
        [sys.executable, "-P", "-m", "master.store.snapshot", str(directory), str(upto)],
        env=environment,
        stdin=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    os.nice(10)
    try:
        fold(Path(sys.argv[1]), int(sys.argv[2]))
    except journal.JournalError as error:
        sys.exit(f"snapshot: {error}")
