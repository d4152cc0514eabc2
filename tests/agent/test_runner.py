"""A job ends in a verified file under its name and a report with every number."""

import threading
from pathlib import Path

import pytest

from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.runner import run_job
from agent.task import Assignment
from common.model import JobStatus, Progress
from common.result import METRICS, check
from tests.agent.conftest import Encode


def test_the_report_names_its_lease_and_carries_every_metric(encode: Encode) -> None:
    report = encode("720p-h264", {"duration": 1})
    assert (report.job_id, report.node_id, report.lease_id, report.attempt) == (
        "job-1",
        "node-1",
        "lease-1",
        1,
    )
    assert report.status is JobStatus.COMPLETED
    assert set(report.metrics) == {name for name, metric in METRICS.items() if metric.always}
    unknown = {name for name, value in report.metrics.items() if value is None}
    no_counter = {"energy_joules", "energy_idle_joules", "energy_net_joules", "energy_source"}
    assert unknown == no_counter
    assert report.metrics["energy_note"] == "this machine has no energy counter that can be read"
    assert [problem for name, value in report.metrics.items() if (problem := check(name, value))] == []
    assert report.analyzer_output["recommendation"]


def test_the_numbers_agree_with_each_other(encode: Encode) -> None:
    metrics = encode("720p-h264", {"duration": 1}).metrics
    number = {name: value for name, value in metrics.items() if isinstance(value, int | float)}
    assert number["fps"] * number["wall_seconds"] == pytest.approx(30, rel=0.001)  # fps is rounded
    assert number["speed"] * number["wall_seconds"] == pytest.approx(1, abs=0.01)
    assert 0 < number["cpu_seconds"] < 60
    assert number["peak_memory_bytes"] > 20_000_000


def test_only_the_whole_output_is_in_the_jobs_directory(encode: Encode, tmp_path: Path) -> None:
    report = encode("480p-h264", {"duration": 0.1})
    assert [file.name for file in (tmp_path / "job-1").iterdir()] == ["480p-h264.mp4"]
    assert report.metrics["output_path"] == str(tmp_path / "job-1" / "480p-h264.mp4")


def test_progress_and_the_log_are_told_and_the_end_is_among_them(
    spawner: Spawner, toolbox: Toolbox, tmp_path: Path
) -> None:
    told: list[Progress] = []
    log: list[str] = []

    def on_progress(progress: Progress, lines: list[str]) -> None:
        told.append(progress)
        log.extend(lines)

    assignment = Assignment("job-1", "480p-h264", {"duration": 1}, "lease-1", 1)
    assert run_job(assignment, "node-1", toolbox, spawner, tmp_path, on_progress, threading.Event())
    assert max(progress.frame or 0 for progress in told) == 30
    assert told[-1].seconds_left is not None
    assert told[-1].seconds_left < 1
    assert any("libx264" in line for line in log)
    assert len(log) == len(set(log)) or log.count(log[-1]) == 1


def test_an_aborted_job_reports_nothing_and_leaves_nothing(
    spawner: Spawner, toolbox: Toolbox, tmp_path: Path
) -> None:
    abort = threading.Event()
    assignment = Assignment("job-1", "480p-h264", {"duration": 36_000}, "lease-1", 1)
    report = run_job(assignment, "node-1", toolbox, spawner, tmp_path, lambda _p, _l: abort.set(), abort)
    assert report is None
    assert not (tmp_path / "job-1").exists()


def test_a_job_can_be_run_again_over_what_an_earlier_attempt_left(encode: Encode, tmp_path: Path) -> None:
    (tmp_path / "job-1").mkdir()
    (tmp_path / "job-1" / "480p-h264.mp4.part").write_bytes(b"half of it")
    assert encode("480p-h264", {"duration": 0.1}).status is JobStatus.COMPLETED
