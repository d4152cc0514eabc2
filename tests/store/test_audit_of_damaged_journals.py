"""What can be read of a damaged journal is in the audit after its repair, each event once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from common.model import Job
from master.store import snapshot
from master.store.audit import AuditFiles
from master.store.segments import segments
from tests.core.support import crash
from tests.store.support import audited, recorded_in
from tests.store.test_damage import flip
from tests.store.test_repair import busy_day, every_record, repaired


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A journal whose third transaction cannot be read: a submit."""
    busy_day(tmp_path)
    name, offset = every_record(tmp_path)[2]
    flip(tmp_path / "journal" / name, offset + 40)
    return tmp_path


def test_all_but_the_damaged_transaction_is_told_and_that_it_was_repaired(tmp_path: Path) -> None:
    busy_day(tmp_path)
    story = recorded_in(tmp_path)
    name, offset = every_record(tmp_path)[2]
    flip(tmp_path / "journal" / name, offset + 40)
    found, farm = repaired(tmp_path)
    crash(farm.store)
    told = [(each["event"], each["job_id"], each["node_id"], each["at"]) for each in audited(tmp_path)][::-1]
    expected = [(each["event"], each["job_id"], each["node_id"], each["at"]) for each in story]
    assert told[-1][0] == "history_rewound"
    assert told[:-1] == expected[:2] + expected[3:]
    assert any(kind is Job for kind, _ in found.broken), "all others fit"


def test_what_a_fold_had_written_before_is_not_told_twice(damaged: Path) -> None:
    twin = damaged.with_name("twin")
    shutil.copytree(damaged, twin)
    repaired(twin)
    once = audited(twin)
    files = AuditFiles(snapshot.audit_directory(damaged / "journal"))
    files.append(entry for entry in once[::-1][:2])
    repaired(damaged)
    assert audited(damaged)[1:] == once[1:]


def test_what_happens_afterwards_follows_it(damaged: Path) -> None:
    _, farm = repaired(damaged)
    farm.store.close()
    assert len(segments(damaged / "journal")) == 1
    numbers = [entry["seq"] for entry in audited(damaged)]
    assert numbers == sorted(set(numbers), reverse=True)
