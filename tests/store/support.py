"""A journal with some records in it."""

from __future__ import annotations

from pathlib import Path

from master.store import journal
from master.store.segments import read_segment, segments
from tests.core.support import FakeClock, crash, make_farm


def write_records(directory: Path, count: int) -> list[bytes]:
    """Append `count` records, each synced before the next, and leave without closing, as a crash does."""
    records = [b'{"n":%d}' % n for n in range(count)]
    writer = journal.Journal(directory, 1, segment_bytes=8192)
    for record in records:
        writer.append(record)
        writer.wait_synced(writer.position)
    return records


def records_in(root: Path) -> dict[str, object]:
    """What a master finds that starts in the state directory `root`; it is killed at once."""
    store = make_farm(root, FakeClock()).store
    crash(store)
    return {**store._state.jobs, **store._state.nodes}


def read_records(directory: Path) -> list[bytes]:
    paths = segments(directory)
    return [payload for path in paths for _, payload in read_segment(path, last=path == paths[-1]).records]
