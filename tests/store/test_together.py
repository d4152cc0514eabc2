"""Decisions that are written as one record are each kept or refused as if they were written one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.model import JobStatus
from common.problems import Problem
from master.lifecycle import commands
from master.service import Farm
from master.store import snapshot
from master.store.journal import JournalFullError
from tests.core.support import FakeClock, crash, embedded, job, make_farm, submit
from tests.store.support import records_in
from tests.store.test_disk_full import half_written


def pause_all(farm: Farm, job_ids: list[str]) -> list[str]:
    """Pauses jobs in one transaction; those that were refused."""
    refused = []
    with farm.store.transaction(farm.clock()) as tx, tx.together():
        for job_id in job_ids:
            try:
                farm.decide(tx, commands.PauseJob(), job=farm.require_job(tx, job_id))
            except Problem:
                refused.append(job_id)
    return refused


def paused(farm: Farm, job_ids: list[str]) -> list[str]:
    return [each for each in job_ids if job(farm, each).job.status is JobStatus.PAUSED]


def paused_on_disk(root: Path) -> set[str]:
    return {
        name
        for name, record in records_in(root).items()
        if getattr(record, "status", None) is JobStatus.PAUSED
    }


def test_they_are_one_record(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock())
    job_ids = [submit(farm) for _ in range(5)]
    before = len(list(snapshot.payloads_after(tmp_path / "journal", 0)))
    assert pause_all(farm, job_ids) == []
    assert len(list(snapshot.payloads_after(tmp_path / "journal", 0))) == before + 1
    crash(farm.store)
    assert paused_on_disk(tmp_path) == set(job_ids)


def test_more_than_a_segment_holds_become_several(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock(), segment_bytes=4096)
    job_ids = [submit(farm) for _ in range(100)]
    assert pause_all(farm, job_ids) == []
    crash(farm.store)
    assert paused_on_disk(tmp_path) == set(job_ids)


def test_one_that_has_no_room_is_refused_and_those_before_it_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = make_farm(tmp_path, FakeClock(), segment_bytes=4096)
    job_ids = [submit(farm) for _ in range(100)]

    def no_more(_record: int) -> None:
        raise JournalFullError("no room")

    monkeypatch.setattr(embedded(farm)._journal, "_roll", no_more)
    refused = pause_all(farm, job_ids)
    assert 0 < len(refused) < 100
    kept = [each for each in job_ids if each not in refused]
    assert paused(farm, job_ids) == kept
    crash(farm.store)
    assert paused_on_disk(tmp_path) == set(kept)


def test_a_disk_that_does_not_take_what_has_its_room_ends_the_master(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = make_farm(tmp_path, FakeClock())
    job_ids = [submit(farm) for _ in range(5)]
    said: list[str] = []
    embedded(farm)._on_failure = said.append
    with monkeypatch.context() as patched:
        half_written(patched)
        with pytest.raises(Problem, match="Nothing can be acknowledged"):
            pause_all(farm, job_ids)
    with pytest.raises(Problem, match="Nothing can be acknowledged"):
        job(farm, job_ids[0])
    assert len(said) == 1
    crash(farm.store)
    assert records_in(tmp_path).keys() == set(job_ids)
    assert paused_on_disk(tmp_path) == set()
