"""Closed segments are folded as soon as that is little work, so that a start has little to replay."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from master.store import snapshot
from master.store.folding import FOLD_AFTER, FOLD_AGE, FOLD_BYTES, FOLD_SHARE, Folding
from tests.core.support import FakeClock

WRITING = FOLD_AFTER + 1


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Up to which segments folds were begun."""
    begun: list[int] = []

    def spawn(_directory: Path, upto: int) -> Any:
        begun.append(upto)
        return subprocess.Popen(["true"])

    monkeypatch.setattr(snapshot, "spawn_fold", spawn)
    return begun


def step(directory: Path, snapshot_bytes: int | None, *closed_bytes: int) -> None:
    """One look at a snapshot, some closed segments, and a large one that is being written."""
    write_files(directory, snapshot_bytes, *closed_bytes)
    look(Folding(directory), FakeClock())


def write_files(directory: Path, snapshot_bytes: int | None, *closed_bytes: int) -> None:
    sizes = {f"{WRITING - len(closed_bytes) + n:012d}.journal": size for n, size in enumerate(closed_bytes)}
    sizes[f"{WRITING:012d}.journal"] = 16 * FOLD_BYTES
    if snapshot_bytes is not None:
        sizes["snapshot"] = snapshot_bytes
    for name, size in sizes.items():
        (directory / name).touch()
        with (directory / name).open("rb+") as file:
            file.truncate(size)


def look(folding: Folding, clock: FakeClock) -> None:
    folding.step(WRITING, clock())
    if folding._process is not None:
        folding._process.wait(10)


def test_one_segment_is_folded_into_a_small_snapshot_or_a_first_one(tmp_path: Path, folds: list[int]) -> None:
    step(tmp_path, None, FOLD_BYTES)
    step(tmp_path, FOLD_BYTES, FOLD_BYTES)
    assert folds == [WRITING - 1, WRITING - 1]


def test_little_is_not_worth_a_process(tmp_path: Path, folds: list[int]) -> None:
    step(tmp_path, None, FOLD_BYTES // 2, FOLD_BYTES // 2 - 1)
    assert folds == []


def test_a_large_snapshot_waits_for_its_share(tmp_path: Path, folds: list[int]) -> None:
    large = 5 * FOLD_SHARE * FOLD_BYTES
    step(tmp_path, large, 2 * FOLD_BYTES, 2 * FOLD_BYTES)
    assert folds == []
    step(tmp_path, large, 2 * FOLD_BYTES, 3 * FOLD_BYTES)
    assert folds == [WRITING - 1]


def test_some_segments_are_enough_however_large_the_snapshot_is(tmp_path: Path, folds: list[int]) -> None:
    step(tmp_path, 1000 * FOLD_BYTES, *[1] * (FOLD_AFTER - 1))
    assert folds == []
    step(tmp_path, 1000 * FOLD_BYTES, *[1] * FOLD_AFTER)
    assert folds == [WRITING - 1]


def test_after_a_day_all_that_is_closed_is_folded(tmp_path: Path, folds: list[int]) -> None:
    write_files(tmp_path, 1000 * FOLD_BYTES, 1)
    clock, folding = FakeClock(), Folding(tmp_path)
    look(folding, clock)
    clock.advance(FOLD_AGE - 1)
    look(folding, clock)
    assert folds == []
    clock.advance(1)
    look(folding, clock)
    assert folds == [WRITING - 1]
    clock.advance(FOLD_AGE - 1)
    look(folding, clock)
    assert len(folds) == 1


def test_where_nothing_is_closed_there_is_nothing_to_fold(tmp_path: Path, folds: list[int]) -> None:
    write_files(tmp_path, None)
    clock, folding = FakeClock(), Folding(tmp_path)
    look(folding, clock)
    clock.advance(2 * FOLD_AGE)
    look(folding, clock)
    assert folds == []
