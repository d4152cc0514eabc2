"""A journal goes on in a segment that was prepared without waiting for the disk, and loses nothing by it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from master.store import journal
from master.store.segments import examine, segments
from tests.core.support import FakeClock, embedded, make_farm, submit

ROOM = 2048


def writer(directory: Path) -> journal.Journal:
    """It has filled the half of a segment, and prepared the next."""
    made = journal.Journal(directory, 1, segment_bytes=ROOM)
    made.append(b"x" * (ROOM // 2))
    made.wait_synced(made.position)
    made.prepare()
    return made


def recorded(directory: Path) -> list[int]:
    """The lengths of all records that can be believed."""
    found = segments(directory)
    read = [examine(path, last=path == found[-1]) for path in found]
    assert not any(segment.damage or segment.torn for segment in read)
    return [len(record.payload) for segment in read for record in segment.records]


def test_a_roll_waits_for_no_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, real = writer(tmp_path), os.fdatasync
    syncs: list[int] = []
    monkeypatch.setattr(os, "fdatasync", syncs.append)
    made.append(b"y" * (ROOM // 2))
    assert syncs == []
    monkeypatch.setattr(os, "fdatasync", real)
    made.wait_synced(made.position)
    assert made.number == 2
    made.close()
    assert recorded(tmp_path) == [ROOM // 2, ROOM // 2]


def test_what_a_crash_leaves_before_the_sync_is_whole_without_the_last_record(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    made = writer(tmp_path / "journal")
    made.append(b"y" * (ROOM // 2))
    assert made.number == 1
    shutil.copytree(tmp_path / "journal", tmp_path / "crashed")
    assert recorded(tmp_path / "crashed") == [ROOM // 2]
    made.close()
    assert recorded(tmp_path / "journal") == [ROOM // 2, ROOM // 2]


def test_a_store_prepares_its_segments_and_finds_all_jobs_again(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock(), 4096)
    ids = []
    for _ in range(60):
        ids.append(submit(farm))
        farm.store.tidy(farm.clock())
    assert embedded(farm)._journal.number > 3
    farm.store.close()
    again = make_farm(tmp_path, FakeClock(), 4096)
    assert set(embedded(again)._state.jobs) == set(ids)
    assert not list(tmp_path.rglob(f"*{journal.PART}"))


def test_a_prepared_segment_that_is_too_small_is_not_taken(tmp_path: Path) -> None:
    made = writer(tmp_path)
    made.append(b"z" * ROOM)
    made.append(b"a")
    made.close()
    assert recorded(tmp_path) == [ROOM // 2, ROOM, 1]
