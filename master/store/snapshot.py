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
from collections.abc import Iterable, Iterator
from pathlib import Path

from common.model import Job, Node
from master import lifecycle
from master.lifecycle.events import Event
from master.store import codec, journal

FORMAT = 1
"""Raised when snapshot or journal can no longer be read by the program before."""

_NAME = "snapshot"
Records = dict[str, Job | Node]


def write(directory: Path, covers: int, records: Iterable[Job | Node]) -> None:
    """Replace the snapshot, durably: it then stands for all segments up to `covers`."""
    temporary = directory / f"{_NAME}.part"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(journal.frame(json.dumps({"format": FORMAT, "covers": covers}).encode(), 0))
        count = 0
        for count, record in enumerate(records, start=1):  # noqa: B007 - the last count is what the end frame says
            file.write(journal.frame(codec.encode_record(record), 0))
        file.write(journal.frame(json.dumps({"records": count}).encode(), 0))
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(directory / _NAME)
    journal.sync_directory(directory)


def read(directory: Path) -> tuple[int, list[Job | Node]]:
    """The segment up to which it stands, and its records; (0, []) if there is no snapshot.

    `JournalError` if it is damaged or made by a newer program.
    """
    path = directory / _NAME
    if not path.exists():
        return 0, []
    payloads = list(_payloads(path))
    try:
        header, end = json.loads(payloads[0]), json.loads(payloads[-1])
        if header["format"] != FORMAT:
            raise journal.JournalError(
                f"{path} has format {header['format']}, but this program reads {FORMAT}; "
                "use the version that wrote it"
            )
        if len(payloads) < 2 or end["records"] != len(payloads) - 2:
            raise journal.JournalError(f"{path} is incomplete; restore the state directory from a backup")
        return int(header["covers"]), [codec.decode_record(payload) for payload in payloads[1:-1]]
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


def events_after(directory: Path, covers: int) -> Iterator[Event]:
    """The events of the segments behind `covers`, in order; `JournalError` if one is damaged or missing."""
    paths = [path for path in journal.segments(directory) if number_of(path) > covers]
    for expected, path in enumerate(paths, start=covers + 1):
        if number_of(path) != expected:
            raise journal.JournalError(f"journal segment {expected} is missing in {directory}")
        for offset, payload in journal.read_segment(path, last=path == paths[-1]):
            try:
                yield from codec.decode_events(payload)
            except codec.CodecError as error:
                raise journal.JournalError(f"{path} at offset {offset}: {error}") from error


def number_of(segment: Path) -> int:
    """A segment's number, from its name."""
    return int(segment.stem)


def fold(directory: Path, upto: int) -> None:
    """Make the snapshot that covers the segments up to `upto`, and remove these."""
    covers, loaded = read(directory)
    records: Records = {record.id: record for record in loaded}
    for path in journal.segments(directory):
        if not covers < number_of(path) <= upto:
            continue
        for _, payload in journal.read_segment(path, last=False):
            for event in codec.decode_events(payload):
                _carry_out(records, event)
    write(directory, upto, records.values())
    for path in journal.segments(directory):
        if number_of(path) <= upto:
            path.unlink()
    journal.sync_directory(directory)


def _carry_out(records: Records, event: Event) -> None:
    record = lifecycle.apply(records.get(event.record_id), event)
    if record is None:
        records.pop(event.record_id, None)
    else:
        records[event.record_id] = record


def spawn_fold(directory: Path, upto: int) -> subprocess.Popen[bytes]:
    """Start `fold` in a process of its own, at low priority."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(  # noqa: S603 - our own program, and no shell
        [sys.executable, "-m", "master.store.snapshot", str(directory), str(upto)],
        env=environment,
        stdin=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    os.nice(10)
    fold(Path(sys.argv[1]), int(sys.argv[2]))
