"""Nothing is acknowledged before it is synced, and one sync serves many."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from common.problems import Problem
from master.store import journal
from master.store.segments import read_segment, segments
from tests.core.support import FakeClock, embedded, job, make_farm, submit


def test_an_answer_waits_for_the_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    farm = make_farm(tmp_path, FakeClock())
    syncing, may_sync, real = threading.Event(), threading.Event(), os.fdatasync

    def slow_sync(fd: int) -> None:
        syncing.set()
        may_sync.wait(10)
        real(fd)

    monkeypatch.setattr(os, "fdatasync", slow_sync)
    with ThreadPoolExecutor(2) as pool:
        submitted = pool.submit(submit, farm)
        assert syncing.wait(10)
        job_id = next(iter(embedded(farm)._state.jobs))
        read = pool.submit(job, farm, job_id)  # a read that sees the unsynced job must wait, too
        assert not submitted.done()
        may_sync.set()
        assert submitted.result(10) == job_id
        assert read.result(10).job.id == job_id


def test_many_threads_share_syncs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    farm = make_farm(tmp_path, FakeClock())
    real, syncs = os.fdatasync, []

    def counted(fd: int) -> None:
        syncs.append(fd)
        threading.Event().wait(0.005)  # a slow disk: others gather meanwhile
        real(fd)

    monkeypatch.setattr(os, "fdatasync", counted)
    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(lambda _: submit(farm), range(160)))
    assert len(set(ids)) == 160
    assert len(syncs) < 160 / 2
    assert set(embedded(make_farm(tmp_path, FakeClock()))._state.jobs) == set(ids)


def test_after_a_failed_sync_nothing_more_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = make_farm(tmp_path, FakeClock())
    job_id = submit(farm)
    failures: list[str] = []
    embedded(farm)._on_failure = failures.append

    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(Problem, match=r"failed to sync.*Input/output error"):
        submit(farm)
    monkeypatch.undo()
    for attempt in (lambda: submit(farm), lambda: job(farm, job_id)):
        with pytest.raises(Problem, match="failed to sync"):
            attempt()
    assert failures
    assert "Input/output error" in failures[0]


def test_segments_roll_and_all_records_are_read_back(tmp_path: Path) -> None:
    writer = journal.Journal(tmp_path, 1, segment_bytes=1024)
    for n in range(100):
        writer.append(b'{"n":%d,"padding":"%s"}' % (n, b"x" * 50))
    writer.append(b'{"large":"%s"}' % (b"y" * 5000))
    writer.close()
    paths = segments(tmp_path)
    assert len(paths) > 10
    count = sum(len(read_segment(path, last=False).records) for path in paths)
    assert count == 101
