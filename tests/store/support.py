"""A journal with some records in it."""

from __future__ import annotations

from pathlib import Path

from master.lifecycle.audit import Entry
from master.store import journal, snapshot
from master.store.segments import read_segment, segments
from master.store.trail import Trail, Wanted
from tests.core.support import FakeClock, crash, embedded, make_farm

ANYTHING = Wanted()


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
    store = embedded(make_farm(root, FakeClock()))
    crash(store)
    return {**store._state.jobs, **store._state.nodes}


def read_records(directory: Path) -> list[bytes]:
    paths = segments(directory)
    return [payload for path in paths for _, payload in read_segment(path, last=path == paths[-1]).records]


def recorded_in(root: Path) -> list[Entry]:
    """What the audit should say, oldest first: from a journal that was never folded."""
    return list(snapshot.entries(0, snapshot.recorded_after(root / "journal", 0)))


def audited(root: Path, limit: int = 1000, wanted: Wanted = ANYTHING) -> list[Entry]:
    """What the audit says, newest first, read page by page; nothing is damaged."""
    trail, before = Trail(root / "journal"), 10**15
    found: list[Entry] = []
    while True:
        page = trail.page(before, limit, wanted)
        assert not page.damaged
        assert len(page.entries) <= limit
        found += page.entries
        if page.next is None:
            return found
        before = page.next
