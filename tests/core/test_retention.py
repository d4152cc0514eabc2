"""Finished jobs older than the retention move to the archive, and nothing else does."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from common.model import JobStatus, Now
from common.problems import Problem
from common.schema import SubmitSchema
from master.api.documents import archive_entry
from master.lifecycle import commands
from master.service import Farm, jobs
from master.service import retention as service
from master.service.retention import Retention, cutoff, pause
from master.store.archive import Entry
from master.submission import Key
from tests.core.support import (
    OPERATOR,
    FakeClock,
    all_jobs,
    finish,
    job,
    make_farm,
    must_claim,
    register,
    submit,
)

DAY = 86400.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def farm(tmp_path: Path, clock: FakeClock) -> Farm:
    return make_farm(tmp_path, clock, retention=30 * DAY)


@pytest.fixture
def chore(farm: Farm) -> Retention:
    return Retention(farm, archive_entry)


def done(farm: Farm, status: JobStatus = JobStatus.COMPLETED) -> str:
    """A job that was finished just now."""
    job_id = submit(farm)
    finish(farm, must_claim(farm, register(farm)), status)
    return job_id


def archived(farm: Farm) -> list[Entry]:
    """All that GET /results/archive lists."""
    return list(service.page(farm, OPERATOR, None, 1000, None)[0])


def ids(entries: list[Entry]) -> list[str]:
    return [entry["job"]["id"] for entry in entries]


def in_memory(farm: Farm) -> set[str]:
    return set(all_jobs(farm))


def test_what_was_finished_longer_ago_than_the_retention_leaves(
    farm: Farm, chore: Retention, clock: FakeClock
) -> None:
    old = [done(farm), done(farm)]
    clock.advance(DAY)
    young = done(farm)
    clock.advance(29 * DAY + 1)
    unfinished = submit(farm)
    before = [archive_entry(job(farm, job_id).job) for job_id in old]
    chore.step(clock())
    assert in_memory(farm) == {young, unfinished}
    assert archived(farm) == before[::-1]


def test_a_job_that_waits_or_runs_for_long_stays(farm: Farm, chore: Retention, clock: FakeClock) -> None:
    running, waiting = submit(farm), submit(farm)
    must_claim(farm, register(farm))
    clock.advance(400 * DAY)
    chore.step(clock())
    assert in_memory(farm) == {running, waiting}


def test_a_canceled_job_leaves_too_and_is_found_by_its_id(
    farm: Farm, chore: Retention, clock: FakeClock
) -> None:
    job_id = submit(farm)
    jobs.change(farm, OPERATOR, job_id, commands.Cancel())
    clock.advance(31 * DAY)
    chore.step(clock())
    assert in_memory(farm) == set()
    assert archived(farm) == []  # as in GET /results
    assert ids(list(service.page(farm, OPERATOR, None, 1000, job_id)[0])) == [job_id]


def test_it_stays_so_after_a_restart(farm: Farm, chore: Retention, clock: FakeClock, tmp_path: Path) -> None:
    old = done(farm)
    clock.advance(31 * DAY)
    chore.step(clock())
    farm.store.close()
    again = make_farm(tmp_path, clock)
    assert in_memory(again) == set()
    assert ids(archived(again)) == [old]


def test_its_log_goes_with_it(farm: Farm, chore: Retention, clock: FakeClock, tmp_path: Path) -> None:
    old = done(farm)
    farm.logs.append(old, ["old"])
    clock.advance(31 * DAY)
    young = done(farm)
    farm.logs.append(young, ["young"])
    chore.step(clock())
    assert [path.stem for path in (tmp_path / "logs").rglob("*.log")] == [young]


def test_its_idempotency_key_is_forgotten_with_it(farm: Farm, chore: Retention, clock: FakeClock) -> None:
    fields = SubmitSchema().load({"scenario": "720p-h264"})
    first = jobs.submit(farm, OPERATOR, fields, Key("order-1", "body")).job.id
    jobs.change(farm, OPERATOR, first, commands.Cancel())
    clock.advance(29 * DAY)
    chore.step(clock())
    assert jobs.submit(farm, OPERATOR, fields, Key("order-1", "body")).job.id == first
    clock.advance(2 * DAY)
    chore.step(clock())
    assert jobs.submit(farm, OPERATOR, fields, Key("order-1", "another body")).job.id != first


def cancel(farm: Farm, job_id: str) -> None:
    jobs.change(farm, OPERATOR, job_id, commands.Cancel())


def retry(farm: Farm, job_id: str) -> None:
    jobs.retry(farm, OPERATOR, job_id)


def test_whoever_asks_for_it_is_told_of_the_archive(farm: Farm, chore: Retention, clock: FakeClock) -> None:
    with pytest.raises(Problem, match=r"no job 'x'\. GET /jobs lists them\.$"):
        job(farm, "x")
    old = done(farm)
    clock.advance(31 * DAY)
    chore.step(clock())
    for verb in (job, retry, cancel):
        with pytest.raises(Problem, match="in the archive: ffrtmp results --archive"):
            verb(farm, old)


def test_pages_go_on_behind_a_job_that_left(farm: Farm, chore: Retention, clock: FakeClock) -> None:
    for _ in range(3):
        done(farm)
    clock.advance(31 * DAY)
    young = [done(farm) for _ in range(3)]
    listed, count = jobs.results_page(farm, OPERATOR, None, 4)
    assert count == 6
    place = (1, -listed[-1].seq)
    chore.step(clock())
    assert jobs.results_page(farm, OPERATOR, place, 4) == ([], 3)
    assert [view.job.id for view in jobs.page(farm, OPERATOR, None, None, 10)[0]] == young[::-1]
    assert jobs.page(farm, OPERATOR, JobStatus.COMPLETED, place, 4) == ([], 3)


def test_a_job_submitted_after_the_newest_left_gets_a_place_of_its_own(
    farm: Farm, chore: Retention, clock: FakeClock, tmp_path: Path
) -> None:
    waiting = submit(farm, priority="low")
    done(farm)
    clock.advance(31 * DAY)
    chore.step(clock())
    farm.store.close()
    again = make_farm(tmp_path, clock)
    submitted = submit(again)
    assert [view.job.id for view in jobs.page(again, OPERATOR, None, None, 10)[0]] == [waiting, submitted]


def test_rounds_are_apart_unless_a_whole_one_is_due(
    farm: Farm, chore: Retention, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ROUND", 3)
    for _ in range(4):
        done(farm)
        clock.advance(1)
    left = []
    clock.advance(30 * DAY - 3.5)  # one is due
    for _ in range(4):
        chore.step(clock())
        left.append(len(in_memory(farm)))
        clock.advance(1)
    assert left == [3, 3, 3, 0]  # three are a round
    done(farm)
    clock.advance(30 * DAY + 1)
    chore.step(clock())
    assert in_memory(farm) == set()


def test_a_short_retention_has_short_pauses() -> None:
    assert pause(30 * DAY) == 600
    assert pause(60) == 6


def test_a_backlog_is_archived_round_by_round(
    farm: Farm, chore: Retention, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ROUND", 2)
    old = []
    for _ in range(5):
        old.append(done(farm))
        clock.advance(DAY / 2)
    clock.advance(40 * DAY)
    for _ in range(3):
        chore.step(clock())
        clock.advance(600)
    assert in_memory(farm) == set()
    assert ids(archived(farm)) == old[::-1]


def test_a_wall_clock_that_jumps_ahead_archives_early_and_loses_nothing(
    farm: Farm, chore: Retention, clock: FakeClock
) -> None:
    old, running = done(farm), submit(farm)
    must_claim(farm, register(farm))
    right = clock().wall
    clock.set_wall(right + timedelta(days=365))
    chore.step(clock())
    clock.set_wall(right)
    assert in_memory(farm) == {running}
    assert ids(archived(farm)) == [old]


@pytest.mark.parametrize("days", [36_500, 999_999_999, 10**12])
def test_a_retention_longer_than_anything_keeps_everything(days: int) -> None:
    clock = FakeClock()
    assert cutoff(clock(), days * DAY) <= clock().wall - timedelta(days=36_500)


def test_the_edge_belongs_to_those_that_stay(farm: Farm, chore: Retention, clock: FakeClock) -> None:
    kept = done(farm)
    clock.advance(30 * DAY)
    chore.step(clock())
    assert in_memory(farm) == {kept}
    chore.step(Now(clock().wall + timedelta(seconds=1), clock().mono))
    assert in_memory(farm) == set()
