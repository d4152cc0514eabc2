"""A file goes some time after its last use, and never while a job refers to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.model import Artifact, ArtifactKind, Findings, JobStatus, Role
from common.schema import SubmitSchema
from master.lifecycle import commands
from master.service import Caller, Farm, files, jobs
from master.service.retention import Retention
from tests.core.support import (
    OPERATOR,
    FakeClock,
    crash_all,
    finish,
    make_farm,
    must_claim,
    register,
)
from tests.files.shelves import put
from tests.files.support import content, sha256_of

DATA = content(1000)
NAME = sha256_of(DATA)
DAY = 86400.0


@pytest.fixture
def farm(tmp_path: Path, clock: FakeClock) -> Iterator[Farm]:
    made = make_farm(tmp_path, clock, retention=30 * DAY, keep_files=7 * DAY)
    yield made
    made.shelf.close()
    crash_all()


def submit(farm: Farm, **fields: Any) -> str:
    asked = {"scenario": "720p-h264", "input": f"file:{NAME}", **fields}
    return jobs.submit(farm, OPERATOR, SubmitSchema().load(asked)).job.id


def pass_days(farm: Farm, clock: FakeClock, days: float) -> None:
    """Time passes, and the chore does its rounds meanwhile."""
    for _ in range(int(days * 4)):
        clock.advance(DAY / 4)
        files.let_go(farm, clock())


def is_there(farm: Farm) -> bool:
    return farm.shelf.store.get(NAME) is not None


def test_a_file_that_nobody_uses_goes_after_a_while(farm: Farm, clock: FakeClock) -> None:
    put(farm.shelf, DATA)
    pass_days(farm, clock, 7)
    assert is_there(farm)
    pass_days(farm, clock, 0.25)
    assert not is_there(farm)


def test_reading_it_is_using_it(farm: Farm, clock: FakeClock) -> None:
    put(farm.shelf, DATA)
    pass_days(farm, clock, 5)
    files.content(farm, OPERATOR, NAME)[1].close()
    pass_days(farm, clock, 5)
    assert is_there(farm)


def test_what_an_unfinished_job_reads_stays_however_long_it_waits(farm: Farm, clock: FakeClock) -> None:
    put(farm.shelf, DATA)
    job_id = submit(farm)
    pass_days(farm, clock, 60)
    assert is_there(farm)
    jobs.change(farm, OPERATOR, job_id, commands.Cancel())
    pass_days(farm, clock, 20)
    assert is_there(farm)  # the job is finished, and still at hand: it may be repeated


def test_it_goes_some_time_after_the_last_job_that_refers_to_it_was_archived(
    farm: Farm, clock: FakeClock
) -> None:
    put(farm.shelf, DATA)
    job_id = submit(farm)
    jobs.change(farm, OPERATOR, job_id, commands.Cancel())
    pass_days(farm, clock, 31)
    Retention(farm, lambda job: {"job": {"id": job.id, "finished_at": None}, "result": {}}).round(
        clock().wall, clock()
    )
    pass_days(farm, clock, 6)
    assert is_there(farm)
    pass_days(farm, clock, 2)
    assert not is_there(farm)


def test_what_a_job_made_stays_as_long_as_the_job_is_at_hand(farm: Farm, clock: FakeClock) -> None:
    jobs.submit(farm, OPERATOR, SubmitSchema().load({"scenario": "720p-h264"}))
    view = must_claim(farm, register(farm))
    put(farm.shelf, DATA, job_id=view.job.id)
    made = Artifact("a.mp4", ArtifactKind.VIDEO, "video/mp4", len(DATA), NAME, f"file:{NAME}")
    finish(farm, view, findings=Findings((made,)))
    pass_days(farm, clock, 20)
    assert is_there(farm)


def test_what_a_node_puts_stays_until_its_job_is_finished(farm: Farm, clock: FakeClock) -> None:
    jobs.submit(farm, OPERATOR, SubmitSchema().load({"scenario": "720p-h264"}))
    view = must_claim(farm, register(farm))
    put(farm.shelf, DATA, job_id=view.job.id)
    pass_days(farm, clock, 20)
    assert is_there(farm)
    finish(farm, view, JobStatus.COMPLETED)
    pass_days(farm, clock, 8)
    assert not is_there(farm)


def test_a_clock_that_is_set_ahead_removes_nothing(farm: Farm, clock: FakeClock) -> None:
    put(farm.shelf, DATA)
    clock.set_wall(clock().wall.replace(year=2036))
    files.let_go(farm, clock())
    assert is_there(farm)


def test_a_new_start_counts_on_from_the_last_use(tmp_path: Path, clock: FakeClock) -> None:
    first = make_farm(tmp_path, clock, keep_files=7 * DAY)
    put(first.shelf, DATA)
    pass_days(first, clock, 6)
    crash_all()
    second = make_farm(tmp_path, clock, keep_files=7 * DAY)
    pass_days(second, clock, 0.5)
    assert is_there(second)
    pass_days(second, clock, 1)
    assert not is_there(second)
    crash_all()


def test_a_viewer_that_lists_it_does_not_use_it(farm: Farm, clock: FakeClock) -> None:
    put(farm.shelf, DATA)
    pass_days(farm, clock, 7)
    assert len(files.page(farm, Caller(Role.VIEWER), "", None, 10)[0]) == 1
    pass_days(farm, clock, 0.25)
    assert not is_there(farm)
