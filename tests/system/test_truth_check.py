"""`make truth` finds a number that is off, and its second measurements are right."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
import pytest

from bench.second_look import LOSSLESS, Looked, Timed, look, make_clip, run, timed, write_wrapper
from bench.second_quality import quality
from bench.truth_rows import compared, kept, repeated, student, target
from common.statistics import t_quantile
from tests.parts import missing

FFMPEG = Path(imageio_ffmpeg.get_ffmpeg_exe())
RUN = Timed(wall_seconds=10.0, cpu_seconds=18.0, peak_memory_bytes=100_000_000, joules=200.0)
FILE = Looked(frames=300, duration=10.0, bitrate=1e6, size=1_300_000)
TRUE: dict[str, Any] = {
    "frames": 300, "duration": 10.0, "bitrate": 1e6, "output_bytes": 1_300_000, "wall_seconds": 10.05,
    "cpu_seconds": 18.1, "peak_memory_bytes": 100_500_000, "speed": 0.995, "runs": 1,
    "vmaf_mean": 93.05, "psnr_mean": 40.1, "ssim_mean": 0.98, "xpsnr_mean": 38.1, "fps": 29.9,
    "energy_joules": 201.0, "cost": 0.00336,
}  # fmt: skip
QUALITY = {"vmaf_mean": 93.0, "psnr_mean": 40.0, "ssim_mean": 0.98, "xpsnr_mean": 38.0}
MODEL = {
    **TRUE,
    "energy_source": "model",
    "energy_joules": 198.0,
    "energy_net_joules": 117.5,
    "cost": 0.00335,
}
"""8 W x 10 s + 6.5 W x 18 s, or 1 % more."""


def verdicts(metrics: dict[str, Any]) -> dict[str, bool | None]:
    return {row.metric: row.good for row in compared(metrics, [RUN], FILE, QUALITY)}


def test_what_agrees_is_true() -> None:
    assert verdicts(TRUE) == dict.fromkeys(TRUE, True)


@pytest.mark.parametrize(
    ("metric", "reported"),
    [
        ("frames", 299),
        ("output_bytes", 1_300_001),
        ("duration", 10.11),
        ("bitrate", 9.89e5),
        ("wall_seconds", 10.11),
        ("cpu_seconds", 17.8),
        ("peak_memory_bytes", 98_000_000),
        ("speed", 1.02),
        ("runs", 2),
        ("vmaf_mean", 93.11),
        ("psnr_mean", 40.5),
        ("ssim_mean", 0.96),
        ("xpsnr_mean", 37.5),
        ("xpsnr_mean", None),
        ("fps", 30.4),
        ("cost", 0.0034),
        ("energy_joules", 190.0),
        ("frames", None),
        ("cpu_seconds", None),
    ],
)
def test_what_is_off_or_missing_is_found(metric: str, reported: float | None) -> None:
    assert [name for name, good in verdicts({**TRUE, metric: reported}).items() if good is False] == [metric]


def test_what_was_not_asked_for_is_neither_true_nor_false() -> None:
    found = verdicts({**TRUE, "cost": None, "energy_joules": None})
    assert (found["cost"], found["energy_joules"]) == (None, None)


def test_several_encodes_are_compared_by_their_means_and_the_highest_peak() -> None:
    slower = Timed(wall_seconds=12.0, cpu_seconds=20.0, peak_memory_bytes=90_000_000, joules=None)
    rows = {row.metric: row.measured for row in compared(TRUE, [RUN, slower], FILE, {})}
    assert (rows["wall_seconds"], rows["cpu_seconds"], rows["peak_memory_bytes"]) == (11.0, 19.0, 1e8)
    assert (rows["runs"], rows["energy_joules"]) == (2, 200.0)


def test_the_wrapper_times_encodes_and_passes_everything_else_on(tmp_path: Path) -> None:
    if not Path("/usr/bin/time").exists():
        missing("GNU time is not installed")
    wrapper = write_wrapper(tmp_path / "ffmpeg", FFMPEG, energy=False)

    def log(*arguments: str) -> list[str]:
        done = subprocess.run([wrapper, *arguments], capture_output=True, text=True, check=True)
        return done.stderr.splitlines()

    picture = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-frames:v", "50"]
    (seen,) = timed(log("-progress", "pipe:1", *picture, "-f", "null", "-"))
    assert 0 < seen.wall_seconds < 60
    assert 0 < seen.cpu_seconds < 60
    assert 5_000_000 < seen.peak_memory_bytes < 2_000_000_000
    compares = ["-vf", f"metadata=mode=print:file={tmp_path}/output.times"]
    assert timed(log("-progress", "pipe:1", *picture, *compares, "-f", "null", "-")) == []
    assert timed(log(*picture, "-f", "null", "-")) == []


def test_joules_count_only_if_each_encode_has_them() -> None:
    line, energy = "ffrtmp-truth whole 1.50 2.00 0.50 2048", "31.25,Joules,power/energy-pkg/,1,100.00,,"
    assert timed(["[info] x", line, energy]) == [Timed(1.5, 2.5, 2048 * 1024, 31.25)]
    assert [run.joules for run in timed([line, energy, line])] == [None, None]


def test_a_file_is_decoded_and_counted_and_compared_with_itself(tmp_path: Path) -> None:
    clip = make_clip(FFMPEG, tmp_path / "clip.mkv", 0.5)
    found = look(FFMPEG, clip)
    assert (found.frames, found.size) == (15, clip.stat().st_size)
    assert found.duration == pytest.approx(0.5, abs=0.002)
    assert found.bitrate * found.duration / 8 < found.size
    same = quality(FFMPEG, clip, clip)
    assert same["ssim_mean"] == 1.0
    assert same["vmaf_mean"] > 95
    assert (same["psnr_mean"], same["xpsnr_mean"]) == (60.0, 60.0)


def test_a_smaller_file_is_compared_at_the_size_of_its_source(tmp_path: Path) -> None:
    clip = make_clip(FFMPEG, tmp_path / "clip.mkv", 0.5)
    run(FFMPEG, "-i", clip, "-vf", "scale=480:270", *LOSSLESS, tmp_path / "small.mkv")
    assert quality(FFMPEG, tmp_path / "small.mkv", clip, size=(640, 360))["psnr_mean"] < 40


def test_two_passes_are_one_encode() -> None:
    (seen,) = timed(["ffrtmp-truth first 1.00 0.50 0.50 4096", "ffrtmp-truth whole 2.00 1.50 0.50 2048"])
    assert seen == Timed(3.0, 3.0, 4096 * 1024, None)


@pytest.mark.parametrize(
    ("metric", "reported"), [("energy_joules", 200.0), ("energy_net_joules", 115.0), ("cost", 0.0034)]
)
def test_an_estimate_is_compared_with_its_formula(metric: str, reported: float) -> None:
    assert False not in verdicts(MODEL).values()
    assert [name for name, good in verdicts({**MODEL, metric: reported}).items() if good is False] == [metric]


def test_an_interval_is_worked_out_anew() -> None:
    assert [student(n) for n in (1, 2, 9)] == pytest.approx([t_quantile(n + 1) for n in (1, 2, 9)], abs=1e-3)
    runs = [Timed(wall, 2.0, 1, None) for wall in (1.0, 1.0, 1.25)]
    repeats = [
        {"speed": 1 / r.wall_seconds, "wall_seconds": r.wall_seconds, "cpu_seconds": 2.0} for r in runs
    ]
    mean, half = 2.8 / 3, 4.3027 * (0.04 / 3) ** 0.5 / 3**0.5
    metrics = {
        "runs": 3, "speed": mean, "wall_seconds": 3.25 / 3, "cpu_seconds": 2.0,
        "speed_low": mean - half, "speed_high": mean + half, "interval_reached": False,
    }  # fmt: skip
    assert all(row.good for row in repeated(metrics, repeats, runs))
    for name, wrong in (("runs", 4), ("speed_low", mean), ("speed_high", mean), ("interval_reached", True)):
        found = [r.metric for r in repeated({**metrics, name: wrong}, repeats, runs) if not r.good]
        assert found == [name]


def test_a_target_is_reached_within_one_and_of_a_search_the_kept_encode_counts() -> None:
    probes = [
        {"crf": crf, "vmaf": vmaf, "whole": crf != 20} for crf, vmaf in ((20, 95.0), (24, 91.0), (22, 93.4))
    ]
    metrics = {"crf": 22, "target_reached": True}
    assert all(row.good for row in target(metrics, 93, probes, {"vmaf_mean": 93.41}))
    assert not any(row.good for row in target(metrics, 93, probes, {"vmaf_mean": 94.2}))
    first, second = (Timed(wall, 1.0, 1, None) for wall in (1.0, 2.0))
    assert kept(metrics, probes, [first, second]) == [second]
