"""The quality of an output is that of another reading, frame by frame, or unknown: never a wrong number."""

from __future__ import annotations

import csv
import re
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from agent.ffmpeg import compare
from agent.ffmpeg.discover import FFmpeg, Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.inputs.rules import InputRules
from agent.runner import run_job
from agent.sandbox import Sandbox
from agent.task import Assignment
from common.model import Progress, Report, Value

ALL = ("vmaf", "psnr", "ssim", "xpsnr")
STATISTICS = ("mean", "harmonic_mean", "p1", "worst_second")
FAST: dict[str, Value] = {"width": 320, "height": 180, "preset": "ultrafast", "crf": 35}
PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=1"]


def make(toolbox: Toolbox, file: Path, *options: str) -> Path:
    ffmpeg = toolbox.chosen["libx264"].path
    subprocess.run([ffmpeg, "-v", "error", "-y", *options, str(file)], check=True, cwd=file.parent)
    return file


class Farm:
    """Runs jobs on files of one directory."""

    def __init__(self, toolbox: Toolbox, spawner: Spawner, directory: Path) -> None:
        self.toolbox, self.spawner, self.directory = toolbox, spawner, directory
        self.told: list[Progress] = []
        self.sandbox = Sandbox()

    def encode(self, parameters: dict[str, Value], file: Path | None = None) -> Report:
        report = run_job(
            Assignment(
                "job-1",
                "720p30-h264",
                parameters,
                "lease-1",
                1,
                None if file is None else f"media:films/{file.name}",
            ),
            "node-1",
            self.toolbox,
            self.spawner,
            self.directory / "work",
            lambda progress, _lines: self.told.append(progress),
            threading.Event(),
            inputs=InputRules({"films": self.directory}),
            sandbox=self.sandbox,
        )
        assert report is not None
        assert report.error is None
        return report

    def rows(self) -> list[dict[str, str]]:
        (table,) = (self.directory / "work" / "job-1").rglob("quality.csv")
        with table.open(newline="") as file:
            return list(csv.DictReader(file))

    def independent(self, output: Path, source: Path, graph: str) -> float:
        """What ffmpeg itself says of two files at the end of its log."""
        ffmpeg = self.toolbox.chosen["libx264"].path
        argv: list[str | Path] = [ffmpeg, "-hide_banner", "-i", output, "-i", source]
        argv += ["-lavfi", graph, "-f", "null", "-"]
        said = subprocess.run(argv, check=True, capture_output=True, text=True).stderr
        found = re.search(r"(?:VMAF score: |average:|All:)([0-9.]+)", said)
        assert found, said
        return float(found[1])


@pytest.fixture
def farm(toolbox: Toolbox, spawner: Spawner, tmp_path: Path) -> Farm:
    return Farm(toolbox, spawner, tmp_path)


def output_of(report: Report) -> Path:
    return Path(str(report.metrics["output_path"]))


def test_every_number_is_there_in_the_sandbox_too_and_the_frames_explain_them(
    farm: Farm, either: Sandbox
) -> None:
    farm.sandbox = either
    report = farm.encode({**FAST, "duration": 1.5, "quality": ALL})
    assert report.findings.warnings == ()
    for name in ALL:
        assert all(isinstance(report.metrics[f"{name}_{statistic}"], float) for statistic in STATISTICS)
    assert report.metrics["vmaf_model"] == "vmaf_v0.6.1"
    rows = farm.rows()
    assert list(rows[0]) == ["frame", "time", *ALL]
    assert len(rows) == report.metrics["frames"] == 45
    mean = sum(float(row["vmaf"]) for row in rows) / 45
    assert report.metrics["vmaf_mean"] == pytest.approx(mean, abs=1e-5)


def test_an_independent_measurement_of_the_output_agrees(farm: Farm) -> None:
    source = make(farm.toolbox, farm.directory / "a.mkv", *PICTURE, "-c:v", "libx264", "-qp", "5")
    report = farm.encode({**FAST, "quality": ("vmaf", "psnr", "ssim")}, source)
    output = output_of(report)
    assert report.metrics["vmaf_mean"] == pytest.approx(
        farm.independent(output, source, "libvmaf"), abs=0.001
    )
    assert report.metrics["ssim_mean"] == pytest.approx(farm.independent(output, source, "ssim"), abs=1e-5)
    # ffmpeg sums up errors before it takes the logarithm, and we decibels.
    assert report.metrics["psnr_mean"] == pytest.approx(farm.independent(output, source, "psnr"), abs=0.5)


def test_it_is_the_same_each_time(farm: Farm) -> None:
    first = farm.encode({**FAST, "duration": 0.5, "quality": ALL}).metrics
    second = farm.encode({**FAST, "duration": 0.5, "quality": ALL}).metrics
    names = [f"{name}_{statistic}" for name in ALL for statistic in STATISTICS]
    assert [first[name] for name in names] == [second[name] for name in names]


def test_a_smaller_output_is_compared_at_the_sources_size(farm: Farm) -> None:
    source = make(farm.toolbox, farm.directory / "a.mkv", *PICTURE, "-c:v", "libx264", "-qp", "5")
    report = farm.encode({**FAST, "width": 160, "height": 90, "crf": 5, "quality": ("vmaf",)}, source)
    graph = "[0:v]scale=320:180:flags=bicubic[o];[o][1:v]libvmaf"
    independent = farm.independent(output_of(report), source, graph)
    assert report.metrics["vmaf_mean"] == pytest.approx(independent, abs=0.01)
    assert independent < 90


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("varies.mkv", [*PICTURE, "-vf", "select='not(mod(n,7))+lt(n,20)'", "-fps_mode", "vfr"]),
        ("late.mkv", ["-itsoffset", "1.5", *PICTURE, "-f", "lavfi", "-i", "sine=duration=3"]),
        ("stream.ts", [*PICTURE, "-bf", "3"]),
        ("turned.mov", [*PICTURE, "-metadata:s:v", "rotate=90"]),
        ("ten.mkv", [*PICTURE, "-pix_fmt", "yuv420p10le"]),
        ("odd.mkv", ["-f", "lavfi", "-i", "testsrc2=size=321x181:duration=1", "-pix_fmt", "yuv444p"]),
        ("interlaced.mkv", [*PICTURE, "-vf", "interlace", "-flags", "+ilme+ildct"]),
    ],
)
def test_the_frames_of_any_file_are_compared_with_themselves(
    name: str, options: list[str], farm: Farm
) -> None:
    """Matroska rounds the times of all but one, so that pairing by time would go wrong."""
    container = "mp4" if name == "varies.mkv" else "mkv"
    source = make(farm.toolbox, farm.directory / name, *options, "-c:v", "libx264", "-qp", "5")
    report = farm.encode({**FAST, "crf": 12, "container": container, "quality": ("vmaf",)}, source)
    assert report.findings.warnings == ()
    assert len(farm.rows()) == report.metrics["frames"]
    # One frame that is paired with its neighbour costs far more than this picture loses.
    assert float(str(report.metrics["vmaf_p1"])) > 95


def test_another_rate_is_compared_with_the_source_at_that_rate(farm: Farm) -> None:
    source = make(farm.toolbox, farm.directory / "a.mkv", *PICTURE, "-c:v", "libx264", "-qp", "5")
    report = farm.encode({**FAST, "crf": 12, "fps": 10, "quality": ("vmaf",)}, source)
    assert report.metrics["frames"] == len(farm.rows()) == 10
    assert float(str(report.metrics["vmaf_p1"])) > 90


def test_a_stream_in_pieces_is_measured_as_a_file_is(farm: Farm) -> None:
    pieces: dict[str, Value] = {"container": "hls", "segment_seconds": 1, "duration": 2}
    report = farm.encode({**FAST, **pieces, "quality": ("ssim",)})
    assert report.metrics["ssim_mean"] is not None
    assert len(farm.rows()) == 60


def test_identical_frames_have_as_many_decibels_as_their_depth_can_tell(farm: Farm) -> None:
    lossless: dict[str, Value] = {**FAST, "crf": 0, "duration": 0.2}  # x264 is lossless with that
    assert farm.encode({**lossless, "quality": ("psnr", "ssim")}).metrics["psnr_mean"] == 60
    assert farm.rows()[0]["ssim"] == "1.000000"


def test_xpsnr_is_not_told_where_ffmpegs_is_wrong(farm: Farm) -> None:
    wanted: dict[str, Value] = {**FAST, "duration": 0.2, "pixel_format": "yuv420p10le", "quality": ALL}
    wrong = farm.encode({**wanted, "width": 352})
    assert wrong.metrics["xpsnr_mean"] is None
    assert wrong.metrics["psnr_mean"] is not None
    assert ["a width of 352" in warning for warning in wrong.findings.warnings] == [True]
    right = farm.encode({**wanted, "width": 320, "crf": 10})
    assert float(str(right.metrics["xpsnr_mean"])) > 30


def test_a_high_dynamic_range_is_told(farm: Farm) -> None:
    pq = "format=yuv420p10le,setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    source = make(farm.toolbox, farm.directory / "a.mkv", *PICTURE, "-vf", pq, "-c:v", "libx265")
    report = farm.encode({**FAST, "quality": ("vmaf",)}, source)
    assert report.metrics["vmaf_mean"] is not None
    assert ["high dynamic range" in warning for warning in report.findings.warnings] == [True]


def test_frames_that_do_not_correspond_give_no_number_but_a_warning(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reference loses a frame on its way, as an encoder might have."""
    build = compare.build

    def losing(ffmpeg: str, comparison: compare.Comparison, threads: int) -> list[str]:
        reference = comparison.reference
        lossy = replace(reference, filters=(*reference.filters, "select='not(eq(n\\,7))'"))
        return build(ffmpeg, replace(comparison, reference=lossy), threads)

    monkeypatch.setattr(compare, "build", losing)
    report = farm.encode({**FAST, "duration": 1, "quality": ALL})
    assert {report.metrics[f"{name}_mean"] for name in ALL} == {None}
    assert report.findings.warnings == (
        "the quality was not measured: the output has 30 frames, and the source 29 for them",
    )
    assert not list((farm.directory / "work" / "job-1").rglob("quality.csv"))


def test_without_the_filter_the_output_is_there_and_a_warning_says_what_is_missing(
    farm: Farm, tmp_path: Path
) -> None:
    real = farm.toolbox.chosen["libx264"]
    poor = tmp_path / "poor"
    poor.write_text(f'#!/bin/sh\ncase " $* " in *" -filters "*) exit 0;; esac\nexec {real.path} "$@"\n')
    poor.chmod(0o755)
    farm.toolbox = Toolbox({"libx264": FFmpeg(poor, real.version)})
    report = farm.encode({**FAST, "duration": 0.2, "quality": ("vmaf",)})
    assert output_of(report).exists()
    assert ["libvmaf" in warning for warning in report.findings.warnings] == [True]


def test_measuring_counts_for_nothing_and_percent_does_not_go_back(farm: Farm) -> None:
    plain = farm.encode({**FAST, "duration": 2})
    farm.told.clear()
    report = farm.encode({**FAST, "duration": 2, "quality": ALL})
    percents = [progress.percent for progress in farm.told if progress.percent is not None]
    assert percents == sorted(percents)
    assert percents[-1] < 100  # it is not over before it is
    # All four methods take many times as long as this encode.
    assert float(str(report.metrics["cpu_seconds"])) < 3 * float(str(plain.metrics["cpu_seconds"])) + 0.3


def test_only_the_output_and_the_table_are_left(farm: Farm) -> None:
    farm.encode({**FAST, "duration": 0.2, "quality": ("psnr",)})
    left = sorted(file.name for file in (farm.directory / "work" / "job-1").rglob("*"))
    assert left == [".ffrtmp.json", "720p30-h264.mp4", "720p30-h264.mp4.files", "quality.csv"]
