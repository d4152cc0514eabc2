"""A snapshot process that outlives its master never meets another, nor a master that reads."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.problems import Problem
from master.store import journal, snapshot
from master.store.folding import FOLD_AFTER, Folding
from master.store.memory import MemoryStore
from master.store.segments import segments
from tests.core.support import FakeClock, make_farm, submit
from tests.store.test_snapshot import busy_farm, records_of


def test_a_fold_that_finds_another_at_work_ends_and_changes_nothing(tmp_path: Path) -> None:
    before = busy_farm(tmp_path)
    directory = tmp_path / "journal"
    with snapshot.alone(directory, patience=0), pytest.raises(journal.JournalError, match="another process"):
        snapshot.fold(directory, FOLD_AFTER)
    assert records_of(tmp_path) == before


def test_a_fold_that_comes_late_does_not_undo_one_that_went_further(tmp_path: Path) -> None:
    before = busy_farm(tmp_path)
    directory = tmp_path / "journal"
    snapshot.fold(directory, FOLD_AFTER)
    snapshot.fold(directory, 1)
    assert records_of(tmp_path) == before


def test_a_starting_master_waits_for_the_fold_of_the_one_before(tmp_path: Path) -> None:
    before = busy_farm(tmp_path)
    fd = os.open(tmp_path / "journal" / "fold.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(fd, fcntl.LOCK_EX)
    program = (
        "import sys; from pathlib import Path; from tests.store.test_snapshot import records_of; "
        "records_of(Path(sys.argv[1]))"
    )
    reader = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    with pytest.raises(subprocess.TimeoutExpired):
        reader.wait(1.0)
    os.close(fd)
    assert reader.wait(30) == 0
    assert records_of(tmp_path) == before


def test_a_fold_that_fails_is_not_tried_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy_farm(tmp_path)
    started: list[subprocess.Popen[bytes]] = []

    def failing(_directory: Path, _upto: int) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"]))
        return started[-1]

    monkeypatch.setattr(snapshot, "spawn_fold", failing)
    clock = FakeClock()
    folding = Folding(tmp_path / "journal")
    for _ in range(20):
        folding.step(99, clock())
        started[-1].wait(10)
    assert len(started) == 1
    clock.advance(3)
    folding.step(99, clock())
    assert len(started) == 2
    started[-1].wait(10)


def test_the_current_directory_is_no_place_to_load_programs_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy_farm(tmp_path)
    (tmp_path / "master").mkdir()
    (tmp_path / "json.py").write_text("raise SystemExit('foreign code')")
    monkeypatch.chdir(tmp_path)
    fold = snapshot.spawn_fold(tmp_path / "journal", FOLD_AFTER)
    assert fold.wait(30) == 0
    assert (tmp_path / "journal" / "snapshot").exists()


def test_a_closed_store_takes_nothing_more(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock())
    submit(farm)
    farm.store.close()
    before = segments(tmp_path / "journal")
    with pytest.raises(Problem, match="the master is stopping"):
        submit(farm)
    assert segments(tmp_path / "journal") == before


def test_files_with_other_names_are_left_alone(tmp_path: Path) -> None:
    busy_farm(tmp_path)
    (tmp_path / "journal" / "copy of 1.journal").write_text("not ours")
    store = MemoryStore(tmp_path / "journal", FakeClock()())
    store.close()
    assert (tmp_path / "journal" / "copy of 1.journal").exists()
