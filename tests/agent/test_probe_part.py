"""A probe for a search elsewhere measures samples, or says that it cannot; a search begins from probes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.runner import run_job
from agent.task import Assignment, PartDone
from common.model import CrfProbe, JobStatus, Report, Scalar, Stage, Value

SMALL: dict[str, Value] = {"width": 320, "height": 180, "duration": 1, "preset": "ultrafast"}


def run(
    toolbox: Toolbox,
    spawner: Spawner,
    work: Path,
    parameters: dict[str, Value],
    stage: Stage = Stage.ENCODE,
    parts: tuple[PartDone, ...] = (),
) -> Report:
    assignment = Assignment(
        "job-1", "720p30-h264", {**SMALL, **parameters}, "lease-1", 1, stage=stage, parts=parts
    )
    report = run_job(assignment, "node-1", toolbox, spawner, work, lambda _p, _l: None, threading.Event())
    assert report is not None
    return report


def part(crf: float, vmaf: float | None) -> PartDone:
    metrics: dict[str, Scalar] = {"crf": crf, "vmaf_mean": vmaf, "bitrate": None}
    return PartDone(f"crf-{crf:g}", f"job-{crf:g}", metrics, ())


def test_it_reports_what_samples_are_like_with_its_crf_and_leaves_nothing(
    toolbox: Toolbox, spawner: Spawner, tmp_path: Path
) -> None:
    found = [run(toolbox, spawner, tmp_path, {"crf": crf}, Stage.PROBE) for crf in (20, 40)]
    for crf, report in zip((20, 40), found, strict=True):
        assert (report.status, report.metrics["crf"], report.metrics["speed"]) == ("completed", crf, None)
        vmaf, bitrate = report.metrics["vmaf_mean"], report.metrics["bitrate"]
        assert isinstance(vmaf, float)
        assert isinstance(bitrate, float)
        assert report.findings.probes == (CrfProbe(crf, vmaf, bitrate, whole=False),)
    first, second = (report.findings.probes[0] for report in found)
    assert first.vmaf > second.vmaf
    assert first.bitrate is not None
    assert second.bitrate is not None
    assert first.bitrate > second.bitrate
    assert list(tmp_path.rglob("*.mkv")) == []


def test_where_nothing_can_be_measured_it_says_so_and_is_completed(
    toolbox: Toolbox, spawner: Spawner, tmp_path: Path, stand_in: Callable[[str], Toolbox]
) -> None:
    real = toolbox.chosen["libx264"].path
    poor = stand_in(
        f"if '-filters' in sys.argv: sys.exit(0)\nos.execv({str(real)!r}, [{str(real)!r}, *sys.argv[1:]])"
    )
    report = run(poor, spawner, tmp_path / "work", {"crf": 20}, Stage.PROBE)
    assert (report.status, report.error) == (JobStatus.COMPLETED, None)
    assert (report.metrics["vmaf_mean"], report.metrics["bitrate"]) == (None, None)
    assert report.findings.probes == ()
    assert "libvmaf" in report.findings.warnings[0]


@pytest.mark.parametrize("vmaf", [97.0, None])
def test_a_search_begins_from_what_was_found_elsewhere(
    vmaf: float | None, toolbox: Toolbox, spawner: Spawner, tmp_path: Path
) -> None:
    target = {"target_vmaf": 90.0}
    near = run(toolbox, spawner, tmp_path / "near", {"crf": 30}, Stage.PROBE).findings.probes[0]
    parts = (part(20, vmaf), part(30, near.vmaf))
    report = run(toolbox, spawner, tmp_path / "work", {**target}, parts=parts)
    known = [CrfProbe(each.metrics["crf"], each.metrics["vmaf_mean"], None, whole=False) for each in parts]  # type: ignore[arg-type]
    known = [probe for probe in known if probe.vmaf is not None]
    assert list(report.findings.probes[: len(known)]) == known
    assert {probe.crf for probe in report.findings.probes[len(known) :] if not probe.whole}.isdisjoint({30.0})
    assert report.metrics["target_reached"] is True
