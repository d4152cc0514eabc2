"""A snapshot stands for the segments that it covers, whenever the process that makes it dies."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from master.store import journal, snapshot
from master.store.folding import FOLD_AFTER
from master.store.memory import MemoryStore
from master.store.segments import segments
from tests.core.support import (
    FakeClock,
    claim,
    crash,
    embedded,
    finish,
    make_farm,
    must_claim,
    register,
    submit,
)


def busy_farm(root: Path) -> dict[str, object]:
    """Leave several closed segments behind; answers the records that they lead to."""
    clock = FakeClock()
    for number in range(FOLD_AFTER):
        farm = make_farm(root, clock)
        node_id = register(farm, f"worker-{number}")
        submit(farm)
        finish(farm, must_claim(farm, node_id))
        submit(farm)
        claim(farm, node_id)
        farm.store.close()
    return {**embedded(farm)._state.jobs, **embedded(farm)._state.nodes}


def records_of(root: Path) -> dict[str, object]:
    store = MemoryStore(root / "journal", FakeClock()())
    crash(store)
    return {**store._state.jobs, **store._state.nodes}


def test_folding_keeps_every_record_and_drops_the_segments(tmp_path: Path) -> None:
    before = busy_farm(tmp_path)
    directory = tmp_path / "journal"
    snapshot.fold(directory, FOLD_AFTER)
    assert segments(directory) == []
    assert records_of(tmp_path) == before


def test_the_store_folds_by_itself_in_a_process_of_its_own(tmp_path: Path) -> None:
    before = busy_farm(tmp_path)
    store = MemoryStore(tmp_path / "journal", FakeClock()())
    store.tidy(FakeClock()())
    deadline = time.monotonic() + 30
    while len(segments(tmp_path / "journal")) > 1:
        assert time.monotonic() < deadline, "the closed segments were not folded"
        time.sleep(0.05)
    store.close()
    assert (tmp_path / "journal" / "snapshot").exists()
    assert records_of(tmp_path) == before


def test_a_fold_that_dies_before_the_rename_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = busy_farm(tmp_path)
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(OSError("killed")))
    with pytest.raises(OSError, match="killed"):
        snapshot.fold(tmp_path / "journal", FOLD_AFTER)
    monkeypatch.undo()
    assert records_of(tmp_path) == before
    assert not list((tmp_path / "journal").glob("*.part"))


def test_a_fold_that_dies_before_the_segments_are_gone_applies_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = busy_farm(tmp_path)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(OSError("killed")))
    with pytest.raises(OSError, match="killed"):
        snapshot.fold(tmp_path / "journal", FOLD_AFTER)
    monkeypatch.undo()
    assert records_of(tmp_path) == before
    snapshot.fold(tmp_path / "journal", FOLD_AFTER)
    assert records_of(tmp_path) == before


def test_a_damaged_snapshot_is_refused_with_its_offset(tmp_path: Path) -> None:
    busy_farm(tmp_path)
    snapshot.fold(tmp_path / "journal", FOLD_AFTER)
    path = tmp_path / "journal" / "snapshot"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(journal.JournalError, match="damaged at offset"):
        records_of(tmp_path)


def test_snapshot_and_journal_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    busy_farm(tmp_path)
    snapshot.fold(tmp_path / "journal", FOLD_AFTER)
    records_of(tmp_path)
    for path in (tmp_path / "journal").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    assert (tmp_path / "journal").stat().st_mode & 0o077 == 0
