"""Damage to what was acknowledged is refused, with the file and the offset."""

from __future__ import annotations

from pathlib import Path

import pytest

from master.store import journal
from master.store.memory import MemoryStore
from master.store.segments import read_segment, segments
from tests.core.support import FakeClock, make_farm, submit
from tests.store.support import read_records, write_records


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x40
    path.write_bytes(bytes(data))


def test_a_flipped_byte_in_the_middle_names_the_offset(tmp_path: Path) -> None:
    write_records(tmp_path, 5)
    segment = segments(tmp_path)[0]
    second, _ = read_segment(segment, last=True).records[1]
    flip(segment, second + 30)
    with pytest.raises(journal.JournalError, match=f"damaged at offset {second} of .*000001.journal"):
        read_records(tmp_path)


def test_a_flipped_byte_in_the_last_record_is_noticed_once_the_journal_was_idle(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock())
    submit(farm)
    farm.store.tidy(farm.clock())
    segment = segments(tmp_path / "journal")[0]
    flip(segment, 40)
    with pytest.raises(journal.JournalError, match="damaged at offset 0"):
        MemoryStore(tmp_path / "journal", FakeClock()())


def test_damage_at_the_end_of_a_closed_segment_is_no_torn_tail(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock())
    submit(farm)
    farm.store.close()
    make_farm(tmp_path, FakeClock())
    segment = segments(tmp_path / "journal")[0]
    segment.write_bytes(segment.read_bytes()[:-60])
    with pytest.raises(journal.JournalError, match="damaged"):
        MemoryStore(tmp_path / "journal", FakeClock()())


def test_a_missing_segment_is_noticed(tmp_path: Path) -> None:
    for _ in range(3):
        farm = make_farm(tmp_path, FakeClock())
        submit(farm)
        farm.store.close()
    segments(tmp_path / "journal")[1].unlink()
    with pytest.raises(journal.JournalError, match="segment 2 is missing"):
        MemoryStore(tmp_path / "journal", FakeClock()())


def test_a_record_of_a_newer_program_is_refused_and_not_skipped(tmp_path: Path) -> None:
    directory = tmp_path / "journal"
    directory.mkdir()
    writer = journal.Journal(directory, 1, segment_bytes=8192)
    writer.append(b'{"by":"operator","events":[{"event":"JobTeleported","job_id":"1"}]}')
    writer.close()
    with pytest.raises(journal.JournalError, match=r"offset \d+: .*version"):
        MemoryStore(directory, FakeClock()())
