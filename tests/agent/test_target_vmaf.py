"""An encode reaches its VMAF by an independent measurement, or comes as near as it can and says so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.runner import run_job
from agent.task import Assignment
from common.model import Progress, Report, Value
from tests.agent.test_quality import Farm, make, output_of

SMALL: dict[str, Value] = {"width": 320, "height": 180}
FAST = {"h264": "ultrafast", "h265": "ultrafast", "vp9": "8", "av1": "12"}


@pytest.fixture
def farm(toolbox: Toolbox, spawner: Spawner, tmp_path: Path) -> Farm:
    return Farm(toolbox, spawner, tmp_path)


def source(farm: Farm, *options: str) -> Path:
    made = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=1.2", *options)
    return make(farm.toolbox, farm.directory / "a.mkv", *made, "-c:v", "libx264", "-qp", "4")


@pytest.mark.parametrize(("codec", "target"), [("h264", 88), ("h265", 88), ("vp9", 90), ("av1", 90)])
def test_an_independent_measurement_finds_it_within_1(codec: str, target: float, farm: Farm) -> None:
    file = source(farm)
    wanted: dict[str, Value] = {"codec": codec, "preset": FAST[codec], "target_vmaf": target}
    report = farm.encode({**SMALL, **wanted}, file)
    independent = farm.independent(output_of(report), file, "libvmaf")
    assert report.metrics["vmaf_mean"] == pytest.approx(independent, abs=0.01)
    if codec in ("h264", "h265"):  # the others have whole numbers only, which may jump over it
        assert report.metrics["target_reached"] is True
    assert (abs(independent - target) <= 1) is report.metrics["target_reached"]


def test_the_probes_are_in_the_result_and_the_last_whole_ones_explain_the_crf(farm: Farm) -> None:
    report = farm.encode({**SMALL, "preset": "ultrafast", "target_vmaf": 90, "duration": 1})
    probes = report.findings.probes
    assert not probes[0].whole
    assert probes[-1].whole
    assert all(probe.bitrate for probe in probes)
    best = min((probe for probe in probes if probe.whole), key=lambda probe: abs(probe.vmaf - 90))
    assert report.metrics["crf"] == best.crf
    assert report.metrics["vmaf_mean"] == best.vmaf
    assert report.metrics["bitrate_asked"] is None
    assert f"-crf {best.crf:g} " in str(report.metrics["command"])


def test_a_target_that_a_cap_forbids_gives_the_closest_encode_marked_so(farm: Farm) -> None:
    wanted: dict[str, Value] = {"target_vmaf": 99.5, "maxrate": "60k", "preset": "ultrafast"}
    report = farm.encode({**SMALL, **wanted, "duration": 3})
    assert report.metrics["target_reached"] is False
    assert output_of(report).exists()
    whole = [probe.vmaf for probe in report.findings.probes if probe.whole]
    assert report.metrics["vmaf_mean"] == max(whole)
    assert ["was not reached" in warning for warning in report.findings.warnings] == [True]


def test_unlucky_samples_are_corrected_by_the_whole_file(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first half is easy, the second is noisy; all samples are made to come from the first."""
    easy = "testsrc2=size=320x180:rate=25:duration=1.5,boxblur=4,format=yuv420p"
    hard = "testsrc2=size=320x180:rate=25:duration=1.5,noise=alls=20:allf=t:all_seed=7,format=yuv420p"
    graph = f"{easy}[a];{hard}[b];[a][b]concat=n=2:v=1:a=0"
    file = make(
        farm.toolbox, farm.directory / "a.mkv", "-f", "lavfi", "-i", graph, "-c:v", "libx264", "-qp", "4"
    )
    monkeypatch.setattr("agent.ffmpeg.samples._SHORT", 1.0)
    monkeypatch.setattr("agent.ffmpeg.samples.SECONDS", 0.2)
    monkeypatch.setattr("agent.ffmpeg.samples.choose", first_half)
    report = farm.encode({**SMALL, "preset": "ultrafast", "target_vmaf": 88}, file)
    sampled = [probe for probe in report.findings.probes if not probe.whole]
    whole = [probe for probe in report.findings.probes if probe.whole]
    assert abs(whole[0].vmaf - sampled[-1].vmaf) > 3
    assert len(whole) > 1
    assert report.metrics["target_reached"] is True
    assert report.metrics["vmaf_mean"] == pytest.approx(
        farm.independent(output_of(report), file, "libvmaf"), abs=0.01
    )


def test_samples_of_a_file_are_cut_to_the_frame(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples that began between key frames would not be those that they are compared with."""
    monkeypatch.setattr("agent.ffmpeg.samples._SHORT", 1.0)
    monkeypatch.setattr("agent.ffmpeg.samples.SECONDS", 0.2)
    file = source(farm, "-g", "40", "-bf", "3")
    report = farm.encode({**SMALL, "preset": "ultrafast", "target_vmaf": 95}, file)
    assert report.findings.warnings == ()
    sampled = [probe for probe in report.findings.probes if not probe.whole]
    assert abs(sampled[-1].vmaf - 95) < 3


def test_nothing_but_the_output_and_its_table_is_left_and_percent_never_goes_back(farm: Farm) -> None:
    report = farm.encode({**SMALL, "preset": "ultrafast", "target_vmaf": 93, "duration": 1})
    left = sorted(file.name for file in (farm.directory / "work" / "job-1").rglob("*"))
    assert left == [".ffrtmp.json", "720p30-h264.mp4", "720p30-h264.mp4.files", "quality.csv"]
    assert output_of(report).exists()
    percents = [progress.percent for progress in farm.told if progress.percent is not None]
    assert percents == sorted(percents)


def test_an_abort_ends_the_search_and_leaves_nothing(
    spawner: Spawner, toolbox: Toolbox, tmp_path: Path
) -> None:
    abort = threading.Event()
    told: list[Progress] = []

    def on_progress(progress: Progress, _lines: list[str]) -> None:
        told.append(progress)
        if len(told) == 4:
            abort.set()

    wanted: dict[str, Value] = {**SMALL, "target_vmaf": 90, "duration": 60, "preset": "ultrafast"}
    assignment = Assignment("job-1", "720p30-h264", wanted, "lease-1", 1)
    assert run_job(assignment, "node-1", toolbox, spawner, tmp_path, on_progress, abort) is None
    assert not (tmp_path / "job-1").exists()


def test_a_node_that_cannot_measure_vmaf_leaves_the_job_to_others(
    spawner: Spawner, toolbox: Toolbox, tmp_path: Path, stand_in: Callable[[str], Toolbox]
) -> None:
    real = toolbox.chosen["libx264"].path
    poor = stand_in(
        f"if '-filters' in sys.argv: sys.exit(0)\nos.execv({str(real)!r}, [{str(real)!r}, *sys.argv[1:]])"
    )
    report = run_once(spawner, poor, tmp_path / "work")
    assert report.error is not None
    assert report.error.code == "encoder_missing"
    assert "libvmaf" in report.error.message


def run_once(spawner: Spawner, toolbox: Toolbox, work: Path) -> Report:
    wanted: dict[str, Value] = {**SMALL, "target_vmaf": 90, "duration": 1}
    assignment = Assignment("job-1", "720p30-h264", wanted, "lease-1", 1)
    report = run_job(
        assignment, "node-1", toolbox, spawner, work, lambda _progress, _lines: None, threading.Event()
    )
    assert report is not None
    return report


def first_half(duration: float, *, made: bool) -> object:
    """Samples that all lie in the first half."""
    from agent.ffmpeg.samples import COUNT, Samples

    return Samples(tuple(round(duration / 12 * number, 3) for number in range(COUNT)), COUNT * 0.2)
