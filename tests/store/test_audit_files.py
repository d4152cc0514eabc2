"""The audit's files: what is damaged is named and the rest is read; what is too old is removed."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from master.lifecycle.audit import Entry
from master.store import audit
from master.store.audit import AuditFiles, Block
from master.store.blocks import DamagedError

AT = datetime(2026, 11, 24, tzinfo=UTC)


def entries(first: int, last: int) -> list[Entry]:
    return [{"seq": number, "at": "2026-11-24T00:00:00Z"} for number in range(first, last + 1)]


def numbers(files: AuditFiles) -> list[int]:
    """What can be read, newest first."""
    blocks = [block for block in files.newest_first() if isinstance(block, Block)]
    return [json.loads(line)["seq"] for block in blocks for line in reversed(block.lines())]


def damage(files: AuditFiles) -> list[str]:
    """What is said to be damaged."""
    said = []
    for block in files.newest_first():
        try:
            if isinstance(block, DamagedError):
                raise block
            block.lines()
        except DamagedError as error:
            said.append(str(error))
    return said


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "audit"


@pytest.fixture
def files(directory: Path, monkeypatch: pytest.MonkeyPatch) -> AuditFiles:
    """Twelve entries in two files, in blocks of two."""
    monkeypatch.setattr(audit, "BLOCK_BYTES", 60)
    monkeypatch.setattr(audit, "FILE_BYTES", 300)
    made = AuditFiles(directory)
    for first in (1, 5, 9):
        made.append(entries(first, first + 3))
    return made


def test_any_gzip_reads_a_file_as_json_lines_oldest_first(directory: Path, files: AuditFiles) -> None:
    lines = []
    for path in sorted(directory.iterdir()):
        with gzip.open(path, "rt") as file:
            lines += [json.loads(line) for line in file]
    assert lines == entries(1, 12)


def test_a_file_is_named_by_its_first_event_and_the_next_begins_when_it_is_long(
    directory: Path, files: AuditFiles
) -> None:
    assert sorted(path.name for path in directory.iterdir()) == [
        "0000000000000001.jsonl.gz",
        "0000000000000009.jsonl.gz",
    ]
    assert numbers(files) == list(range(12, 0, -1))


def test_what_is_there_is_not_added_again(directory: Path, files: AuditFiles) -> None:
    files.append(entries(3, 12))
    files.append(entries(11, 14))
    assert numbers(files) == list(range(14, 0, -1))


def test_only_the_owner_can_read_it(directory: Path, files: AuditFiles) -> None:
    for path in (directory, *directory.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("offset", [0, 18, 30, 45, 70])
def test_damage_is_named_and_all_other_blocks_are_read(
    directory: Path, files: AuditFiles, offset: int
) -> None:
    path = directory / "0000000000000001.jsonl.gz"
    data = bytearray(path.read_bytes())
    data[offset] ^= 0xFF
    path.write_bytes(bytes(data))
    assert [str(path) in each for each in damage(files)] == [True]
    readable = [block for block in files.newest_first() if isinstance(block, Block)]
    assert {number for block in readable for number in block.label[:2]} >= {*range(3, 13)}


def test_behind_a_damaged_file_another_one_begins(
    directory: Path, files: AuditFiles, caplog: pytest.LogCaptureFixture
) -> None:
    (directory / "0000000000000009.jsonl.gz").write_bytes(b"damaged")
    files.append(entries(10, 14))
    assert numbers(files) == [*range(14, 9, -1), *range(8, 0, -1)]
    assert "the audit goes on in another file" in caplog.text


def test_files_with_other_names_are_left_alone(directory: Path, files: AuditFiles) -> None:
    (directory / "notes.jsonl.gz").write_text("not ours")
    assert files.last() == 12
    assert damage(files) == []


def test_files_that_nothing_was_added_to_for_too_long_are_removed_but_the_newest(
    directory: Path, files: AuditFiles
) -> None:
    old, new = sorted(directory.iterdir())
    for path in (old, new):
        os.utime(path, times=(AT.timestamp(), AT.timestamp()))
    assert files.remove_before(AT) == 0
    assert files.remove_before(AT + timedelta(seconds=1)) == 1
    assert list(directory.iterdir()) == [new]
