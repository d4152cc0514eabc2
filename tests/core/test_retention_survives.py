"""Whatever stops the archiving half-way: no job is lost, and none is archived twice."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from common.model import JobStatus
from common.problems import UNAVAILABLE
from master.api.documents import archive_entry
from master.service import Farm
from master.service import retention as service
from master.service.retention import Retention
from tests.core.support import FakeClock, claim, crash, finish, make_farm, must_claim, register, submit
from tests.core.test_retention import DAY, archived, done, ids, in_memory


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def farm_with_old_jobs(root: Path, clock: FakeClock, count: int = 5) -> tuple[Farm, list[str]]:
    """Jobs of two days, all old enough."""
    farm = make_farm(root, clock, retention=30 * DAY)
    old = []
    for _ in range(count):
        old.append(done(farm))
        clock.advance(DAY * 1.5 / count)
    clock.advance(31 * DAY)
    return farm, old


def stop_at(monkeypatch: pytest.MonkeyPatch, call: int, error: BaseException) -> None:
    """The `call`-th time that jobs should leave the memory, `error` comes instead."""
    forget, calls = Retention._forget, iter(range(1, 100))

    def failing(self: Retention, *arguments: object) -> bool:
        if next(calls) == call:
            raise error
        return forget(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Retention, "_forget", failing)


@pytest.mark.parametrize("call", [1, 2])
def test_a_crash_between_archive_and_journal_archives_nothing_twice(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    farm, old = farm_with_old_jobs(tmp_path, clock)
    stop_at(monkeypatch, call, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        Retention(farm, archive_entry).step(clock())
    monkeypatch.undo()
    crash(farm.store)
    farm = make_farm(tmp_path, clock, retention=30 * DAY)
    assert in_memory(farm), "the crash came too late to prove anything"
    assert set(ids(archived(farm))) | in_memory(farm) == set(old)
    Retention(farm, archive_entry).step(clock())
    assert in_memory(farm) == set()
    assert ids(archived(farm)) == old[::-1]


def test_so_it_is_when_a_later_round_meets_what_the_crash_left(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the crash the clock is set back, and a job comes that is older than those archived."""
    farm, old = farm_with_old_jobs(tmp_path, clock, count=2)
    stop_at(monkeypatch, 1, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        Retention(farm, archive_entry).step(clock())
    monkeypatch.undo()
    crash(farm.store)
    farm = make_farm(tmp_path, clock, retention=30 * DAY)
    late = clock()
    clock.set_wall(FakeClock().now.wall)
    oldest = done(farm)
    clock.set_wall(late.wall)
    monkeypatch.setattr(service, "ROUND", 1)
    chore = Retention(farm, archive_entry)
    for _ in range(3):
        chore.step(clock())
        clock.advance(600)
    assert in_memory(farm) == set()
    assert sorted(ids(archived(farm))) == sorted([oldest, *old])


def test_a_journal_that_refuses_is_tried_again_after_the_pause(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    farm, old = farm_with_old_jobs(tmp_path, clock)
    monkeypatch.setattr(service, "ROUND", 1)  # so that a whole round is always due
    stop_at(monkeypatch, 1, UNAVAILABLE("no room for the journal"))
    chore = Retention(farm, archive_entry)
    with caplog.at_level(logging.ERROR):
        chore.step(clock())
        clock.advance(300)
        chore.step(clock())
    assert in_memory(farm) == set(old)
    assert [record.getMessage() for record in caplog.records] == [
        "5 finished jobs stay in memory, as they cannot be archived: no room for the journal; "
        "it is tried again in 10m"
    ]
    for _ in old:
        clock.advance(600)
        chore.step(clock())
    assert in_memory(farm) == set()
    assert ids(archived(farm)) == old[::-1]


def test_a_full_disk_loses_nothing_and_archiving_goes_on_when_there_is_room(
    make_disk: Callable[[str], Path], clock: FakeClock
) -> None:
    disk = make_disk("2m")
    farm, old = farm_with_old_jobs(disk, clock)
    ballast = disk / "ballast"
    room = os.statvfs(disk)
    ballast.write_bytes(bytes(room.f_bavail * room.f_bsize))
    chore = Retention(farm, archive_entry)
    chore.step(clock())
    assert in_memory(farm) == set(old)
    assert archived(farm) == []
    ballast.unlink()
    clock.advance(600)
    chore.step(clock())
    assert in_memory(farm) == set()
    assert ids(archived(farm)) == old[::-1]


def test_a_damaged_day_stops_the_archiving_and_loses_nothing(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    farm, old = farm_with_old_jobs(tmp_path, clock, count=1)
    path = tmp_path / "archive" / "2026-01-01.jsonl.gz"
    path.parent.mkdir()
    path.write_bytes(b"not ours")
    chore = Retention(farm, archive_entry)
    chore.step(clock())
    assert in_memory(farm) == set(old)
    assert "2026-01-01.jsonl.gz is damaged at offset 0" in caplog.text
    path.unlink()
    clock.advance(600)
    chore.step(clock())
    assert ids(archived(farm)) == old


def test_a_job_that_was_finished_anew_in_an_older_copy_of_the_state_is_kept_as_well(
    tmp_path: Path, clock: FakeClock
) -> None:
    farm = make_farm(tmp_path, clock, retention=30 * DAY)
    node_id = register(farm)
    job_id = submit(farm)
    farm.store.close()
    shutil.copytree(tmp_path / "journal", tmp_path / "copy")
    farm = make_farm(tmp_path, clock, retention=30 * DAY)
    finish(farm, must_claim(farm, node_id))
    clock.advance(31 * DAY)
    Retention(farm, archive_entry).step(clock())
    farm.store.close()

    shutil.rmtree(tmp_path / "journal")
    (tmp_path / "copy").rename(tmp_path / "journal")
    earlier = FakeClock()
    earlier.advance(60)
    farm = make_farm(tmp_path, earlier, retention=30 * DAY)
    view = claim(farm, node_id)
    assert view is not None
    finish(farm, view, JobStatus.FAILED)
    Retention(farm, archive_entry).step(clock())
    assert in_memory(farm) == set()
    assert ids(archived(farm)) == [job_id, job_id]
    assert [entry["job"]["status"] for entry in archived(farm)] == ["failed", "completed"]


@pytest.mark.parametrize("whole_round", [1, 2, 3, 100])
def test_an_older_copy_of_the_journal_beside_a_newer_archive_archives_nothing_twice(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, whole_round: int
) -> None:
    farm, old = farm_with_old_jobs(tmp_path, clock)
    farm.store.close()
    shutil.copytree(tmp_path / "journal", tmp_path / "copy")
    farm = make_farm(tmp_path, clock, retention=30 * DAY)
    Retention(farm, archive_entry).step(clock())
    assert in_memory(farm) == set()
    farm.store.close()

    shutil.rmtree(tmp_path / "journal")
    (tmp_path / "copy").rename(tmp_path / "journal")
    farm = make_farm(tmp_path, clock, retention=30 * DAY)
    assert in_memory(farm) == set(old)
    monkeypatch.setattr(service, "ROUND", whole_round)
    chore = Retention(farm, archive_entry)
    for _ in old:
        chore.step(clock())
        clock.advance(600)
    assert in_memory(farm) == set()
    assert ids(archived(farm)) == old[::-1]
