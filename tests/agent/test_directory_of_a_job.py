"""The directory of a job stays while an attempt works in it; the last one removes it, if it is empty."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.runner import run_job
from agent.task import Assignment
from agent.workspace import job_directory
from common.model import Progress


def test_an_attempt_that_ends_leaves_it_to_the_one_that_has_just_begun(tmp_path: Path) -> None:
    path = tmp_path / "job-1"
    with job_directory(path):
        with job_directory(path):
            assert path.is_dir()
        assert path.is_dir()
    assert not path.exists()


def test_what_is_in_it_stays(tmp_path: Path) -> None:
    path = tmp_path / "job-1"
    with job_directory(path):
        (path / "480p-h264.mp4").touch()
    assert [file.name for file in path.iterdir()] == ["480p-h264.mp4"]


def test_an_attempt_that_is_dropped_while_the_next_one_starts_does_it_no_harm(
    spawner: Spawner, toolbox: Toolbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, drop = threading.Event(), threading.Event()
    old = Assignment("job-1", "480p-h264", {"duration": 36_000}, "old-lease", 1)
    new = Assignment("job-1", "480p-h264", {"duration": 0.1}, "new-lease", 2)
    arguments = (old, "node-1", toolbox, spawner, tmp_path, lambda *_: begun.set(), drop)
    thread = threading.Thread(target=run_job, args=arguments)
    thread.start()
    assert begun.wait(30)
    spawn = spawner.spawn

    def drop_the_old_one_first(*what: Any, **more: Any) -> object:
        drop.set()
        thread.join(30)
        return spawn(*what, **more)

    monkeypatch.setattr(spawner, "spawn", drop_the_old_one_first)
    report = run_job(new, "node-1", toolbox, spawner, tmp_path, lambda *_: None, threading.Event())
    assert report is not None
    assert report.error is None


def test_if_somebody_else_removes_it_that_is_not_the_jobs_fault(
    spawner: Spawner, toolbox: Toolbox, tmp_path: Path
) -> None:
    def remove(_: Progress, lines: list[str]) -> None:
        if not any("libx264" in line for line in lines):
            return  # the encode has not begun
        shutil.rmtree(tmp_path / "job-1")
        (tmp_path / "job-1").mkdir()  # for an attempt of theirs

    assignment = Assignment("job-1", "480p-h264", {"width": 17_000, "height": 64}, "lease-1", 1)
    report = run_job(assignment, "node-1", toolbox, spawner, tmp_path, remove, threading.Event())
    assert report is not None
    assert report.error is not None
    assert report.error.code == "agent_error"
    assert f"{tmp_path / 'job-1'} was removed during the encode" in report.error.message
