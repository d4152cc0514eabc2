"""Caps hold, two passes meet a bitrate better than one, and a first pass leaves nothing behind."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.runner import run_job
from agent.task import Assignment
from common.model import JobStatus, Progress, Report, Scalar
from tests.agent.conftest import Encode, StandIn, measured

SMALL: dict[str, Scalar] = {"width": 320, "height": 180}
FAST = {"h264": "ultrafast", "h265": "ultrafast", "vp9": "8", "av1": "13"}


def bitrate(report: Report) -> float:
    assert report.error is None
    return float(str(report.metrics["bitrate"]))


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1"])
def test_a_cap_holds_where_the_quality_alone_would_take_far_more(codec: str, encode: Encode) -> None:
    wanted: dict[str, Scalar] = {**SMALL, "codec": codec, "preset": FAST[codec], "crf": 5, "duration": 4}
    free = bitrate(encode("720p30-h264", wanted))
    assert free > 1_000_000
    # Encoders may use a buffer of a second beside it, and VP9 and AV1 come only near.
    assert bitrate(encode("720p30-h264", {**wanted, "maxrate": "500k"})) < 500_000 * 1.4


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9"])
def test_two_passes_miss_a_bitrate_by_less_than_one(codec: str, encode: Encode) -> None:
    wanted: dict[str, Scalar] = {**SMALL, "codec": codec, "preset": FAST[codec], "bitrate": "300k"}
    one, two = (
        encode("720p30-h264", {**wanted, "duration": 3, "two_pass": two_pass}) for two_pass in (False, True)
    )
    assert (one.metrics["passes"], two.metrics["passes"]) == (1, 2)
    assert abs(bitrate(two) - 300_000) < abs(bitrate(one) - 300_000)


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9"])
def test_only_the_output_is_left_of_two_passes(codec: str, encode: Encode, tmp_path: Path) -> None:
    wanted: dict[str, Scalar] = {**SMALL, "codec": codec, "preset": FAST[codec], "duration": 0.5}
    report = encode("720p30-h264", {**wanted, "two_pass": True, "threads": 1})
    assert report.status is JobStatus.COMPLETED
    assert [file.name for file in (tmp_path / "job-1").rglob("*")] == [
        Path(str(report.metrics["output_path"])).name
    ]


def test_two_attempts_at_once_have_logs_of_their_own(
    spawner: Spawner, toolbox: Toolbox, tmp_path: Path
) -> None:
    """Were they shared, the shorter one's log would have too few frames for the longer one."""

    def attempt(number: int) -> Report | None:
        wanted: dict[str, Scalar] = {**SMALL, "duration": number, "two_pass": True, "preset": "ultrafast"}
        return run_job(
            Assignment("job-1", "720p30-h264", wanted, f"lease-{number}", number),
            "node-1",
            toolbox,
            spawner,
            tmp_path,
            lambda _progress, _lines: None,
            threading.Event(),
        )

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(attempt, (1, 2)))
    assert [report and report.error for report in reports] == [None, None]
    assert measured(tmp_path / "job-1" / "720p30-h264.mp4").frames in (30, 60)


def test_percent_goes_through_both_passes_and_never_back(
    spawner: Spawner, toolbox: Toolbox, tmp_path: Path
) -> None:
    told: list[Progress] = []
    wanted: dict[str, Scalar] = {"duration": 4, "two_pass": True, "preset": "medium"}
    run_job(
        Assignment("job-1", "480p-h264", wanted, "lease-1", 1),
        "node-1",
        toolbox,
        spawner,
        tmp_path,
        lambda progress, _lines: told.append(progress),
        threading.Event(),
    )
    percents = [progress.percent for progress in told if progress.percent is not None]
    assert percents == sorted(percents)
    assert 90 < percents[-1] <= 99  # the end is told by the report


def test_time_and_cpu_of_both_passes_are_counted(stand_in: StandIn, spawner: Spawner, tmp_path: Path) -> None:
    """The first pass takes a while and the second fails at once: its report tells of both."""
    toolbox = stand_in(
        "if sys.argv[sys.argv.index('-pass') + 1] == '1': time.sleep(0.5)\nelse: sys.exit('no second pass')"
    )
    report = run_job(
        Assignment("job-1", "480p-h264", {"two_pass": True}, "lease-1", 1),
        "node-1",
        toolbox,
        spawner,
        tmp_path,
        lambda _progress, _lines: None,
        threading.Event(),
    )
    assert report is not None
    assert report.error is not None
    assert "no second pass" in report.error.message
    assert float(str(report.metrics["wall_seconds"])) > 0.5
    assert report.metrics["passes"] == 2


def test_an_abort_ends_a_first_pass_too(stand_in: StandIn, spawner: Spawner, tmp_path: Path) -> None:
    abort = threading.Event()
    report = run_job(
        Assignment("job-1", "480p-h264", {"two_pass": True}, "lease-1", 1),
        "node-1",
        stand_in("time.sleep(600)"),
        spawner,
        tmp_path,
        lambda _progress, _lines: abort.set(),
        abort,
    )
    assert report is None
    assert not (tmp_path / "job-1").exists()
