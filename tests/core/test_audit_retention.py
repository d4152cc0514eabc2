"""The audit is kept for `--audit-retention`: older files are removed, in rounds, and never the newest."""

from __future__ import annotations

import os
from pathlib import Path

from master.service.audit import AuditRetention
from tests.core.support import FakeClock, make_farm

DAY = 86400.0


def write(directory: Path, number: int, clock: FakeClock) -> Path:
    """A file that was written just now."""
    directory.mkdir(exist_ok=True)
    path = directory / f"{number:016d}.jsonl.gz"
    path.touch()
    os.utime(path, times=(clock().wall.timestamp(),) * 2)
    return path


def test_files_go_when_they_are_old_and_the_newest_stays(tmp_path: Path) -> None:
    clock = FakeClock()
    chore = AuditRetention(make_farm(tmp_path, clock, audit_retention=10 * DAY))
    old = write(tmp_path / "audit", 1, clock)
    clock.advance(DAY)
    newest = write(tmp_path / "audit", 2, clock)
    chore.step(clock())
    clock.advance(9 * DAY)
    chore.step(clock())
    assert old.exists()
    clock.advance(DAY)
    chore.step(clock())
    assert not old.exists()
    clock.advance(100 * DAY)
    chore.step(clock())
    assert newest.exists()


def test_between_two_rounds_the_directory_is_left_alone(tmp_path: Path) -> None:
    clock = FakeClock()
    chore = AuditRetention(make_farm(tmp_path, clock, audit_retention=10 * DAY))
    chore.step(clock())
    old = write(tmp_path / "audit", 1, clock)
    write(tmp_path / "audit", 2, clock)
    os.utime(old, times=(0, 0))
    clock.advance(1)
    chore.step(clock())
    assert old.exists()
    clock.advance(600)
    chore.step(clock())
    assert not old.exists()


def test_a_retention_longer_than_there_are_years_keeps_everything(tmp_path: Path) -> None:
    clock = FakeClock()
    chore = AuditRetention(make_farm(tmp_path, clock, audit_retention=1e12))
    old = write(tmp_path / "audit", 1, clock)
    write(tmp_path / "audit", 2, clock)
    os.utime(old, times=(0, 0))
    chore.step(clock())
    assert old.exists()
