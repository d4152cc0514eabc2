"""Masters that share an archive put each job into it once, and let nothing go that a job still waits for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from master.api.documents import archive_entry
from master.service import Farm
from master.service import retention as service
from master.service.retention import Retention
from master.store.archive import Archive, Entry
from tests.core.support import (
    OPERATOR,
    FakeClock,
    all_jobs,
    finish,
    must_claim,
    register,
    submit,
)
from tests.store.postgresql.conftest import Masters

DAY = 86400.0


def done(farm: Farm) -> str:
    """A job that was finished just now."""
    job_id = submit(farm)
    finish(farm, must_claim(farm, register(farm)))
    return job_id


def archived(farm: Farm) -> list[str]:
    return [entry["job"]["id"] for entry in service.page(farm, OPERATOR, None, 1000, None)[0]]


def test_what_one_master_archives_is_read_at_all_and_its_log_goes_with_it(
    sharing: Masters, clock: FakeClock
) -> None:
    first, second = sharing(2)
    empty = [second.archive.empty]
    job_id = done(first)
    first.logs.append(job_id, ["frame= 300"])
    assert second.logs.read(job_id) == ["frame= 300"]
    clock.advance(31 * DAY)
    Retention(first, archive_entry).step(clock())
    assert archived(second) == [job_id]
    assert [*empty, second.archive.empty] == [True, False]
    assert all_jobs(second) == {}
    assert second.logs.read(job_id) == []


def test_what_is_being_written_is_left_alone_by_a_start_and_removed_by_the_next_who_writes(
    sharing: Masters, clock: FakeClock, tmp_path: Path
) -> None:
    (tmp_path / "shared/archive").mkdir(parents=True)
    [first] = sharing(1)
    part = tmp_path / "shared/archive/2026-01-01.jsonl.gz.abc.part"
    part.write_bytes(b"half")
    assert Archive(tmp_path / "shared/archive", alone=False).empty
    assert part.exists()
    job_id = done(first)
    clock.advance(31 * DAY)
    Retention(first, archive_entry).step(clock())
    assert archived(first) == [job_id]
    assert not part.exists()


def test_two_that_archive_at_once_archive_each_job_once(sharing: Masters, clock: FakeClock) -> None:
    """As when the one that led was cut off, and does not know it yet."""
    farms = sharing(2)
    job_ids = {done(farms[0]) for _ in range(3)}
    clock.advance(31 * DAY)
    chores = [Retention(farm, archive_entry) for farm in farms]
    for chore in chores:
        chore.round(clock().wall, clock())
    assert sorted(archived(farms[0])) == sorted(job_ids)


def test_a_job_that_another_comes_to_depend_on_while_it_is_archived_stays(
    sharing: Masters, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sharing(2)
    job_id = done(first)
    clock.advance(31 * DAY)
    add = Archive.add

    def add_slowly(self: Archive, day: date, entries: Iterable[Entry]) -> None:
        add(self, day, entries)
        submit(second, depends_on=[job_id])

    monkeypatch.setattr(Archive, "add", add_slowly)
    chore = Retention(first, archive_entry)
    chore.step(clock())
    assert job_id in all_jobs(first)
    finish(second, must_claim(second, register(second)))
    clock.advance(31 * DAY)
    monkeypatch.setattr(Archive, "add", add)
    chore.step(clock())
    assert all_jobs(first) == {}
    assert archived(first).count(job_id) == 1
