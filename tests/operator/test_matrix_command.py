"""`ffrtmp matrix` queues an experiment once, and `ffrtmp report --matrix` tells what came of it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from tests.api.corner import Corner, got
from tests.masters import Client
from tests.operator.conftest import Ffrtmp

TEXT = """\
name: Two presets
scenarios: [480p-h264]
codecs: {h264: {presets: [%s, fast]}}
bitrates: [1M, 2M]
repeat: 2
constraints: {labels: {for: %s}}
"""


def written(tmp_path: Path, label: str, preset: str = "veryfast") -> str:
    file = tmp_path / f"{label}.yaml"
    file.write_text(TEXT % (preset, label))
    return str(file)


def finish(client: Client, label: str, jobs: int) -> None:
    """A node encodes the jobs, and measures something."""
    corner = Corner(client)
    node = corner.register(address="worker-9", labels={"for": label}, run_unlabeled=False)
    for number in range(jobs):
        metrics = {"speed": 2 + number / 100, "duration": 10, "bitrate": 1e6, "vmaf_mean": 90 + number / 10}
        got(corner.report(corner.poll(node["id"])["job"], metrics=metrics))


def queued(client: Client) -> int:
    return int(got(client.get("/jobs"))["count"])


def test_an_experiment_is_queued_once_however_often_it_is_sent(
    ffrtmp: Ffrtmp, client: Client, tmp_path: Path
) -> None:
    file = written(tmp_path, "once")
    before = queued(client)
    first = ffrtmp("matrix", file)
    assert first.returncode == 0, first.stderr
    assert first.stdout == f"8 jobs: 8 pending.\nWhen they are finished: ffrtmp report --matrix {file}\n"
    again = ffrtmp.json("matrix", file)
    assert queued(client) == before + 8
    assert {job["status"] for job in again} == {"pending"}
    more = ffrtmp.json("matrix", file, "--again")
    assert queued(client) == before + 16
    assert not {job["id"] for job in more} & {job["id"] for job in again}


def test_a_dry_run_shows_the_jobs_and_asks_no_master(ffrtmp: Ffrtmp, tmp_path: Path) -> None:
    done = ffrtmp("matrix", written(tmp_path, "dry"), "--dry-run", FFRTMP_MASTER="https://localhost:1")
    assert done.returncode == 0, done.stderr
    assert re.search(r"480p-h264 +- +h264 +fast +bitrate 2M", done.stdout)
    assert done.stdout.endswith("8 jobs: 4 combinations, each 2 times. Nothing was queued.\n")


@pytest.mark.parametrize("command", [("matrix",), ("report", "--matrix")])
def test_a_wrong_file_is_a_usage_error_and_nothing_is_sent(
    ffrtmp: Ffrtmp, client: Client, tmp_path: Path, command: tuple[str, ...]
) -> None:
    before = queued(client)
    done = ffrtmp(*command, written(tmp_path, "wrong", preset="10"))
    assert done.returncode == 2
    assert "1 of" not in done.stdout
    assert "2 of 4 combinations do not fit; nothing was sent" in done.stderr
    assert ffrtmp(*command, str(tmp_path / "none")).returncode == 2
    assert queued(client) == before


def test_its_report_has_its_jobs_and_no_others(ffrtmp: Ffrtmp, client: Client, tmp_path: Path) -> None:
    file, page = written(tmp_path, "told", preset="slow"), tmp_path / "told.html"
    assert ffrtmp("matrix", file).returncode == 0
    empty = ffrtmp("report", "--matrix", file, "-o", str(page))
    assert "0 encodes of 0 clips in 0 ways" in empty.stdout
    assert "There is nothing to report yet" in page.read_text()
    finish(client, "told", 7)
    done = ffrtmp("report", "--matrix", file, "-o", str(page))
    assert done.returncode == 0, done.stderr
    assert re.search(r"told\.html: 7 encodes of 1 clip in 2 ways, \d+ are not finished yet\n", done.stdout)
    text = page.read_text()
    assert "<h1>Two presets</h1>" in text
    assert "worker-9" in text
    assert 'class="plot"' in text
    rows = list(
        csv.DictReader(io.StringIO(ffrtmp("report", "--matrix", file, "-o", "-", "--format", "csv").stdout))
    )
    assert [(row["preset"], row["rate"]) for row in rows] == [
        (preset, rate) for preset in ("fast", "slow") for rate in ("1,000 kbit/s", "2,000 kbit/s")
    ]
    assert sum(int(row["jobs"]) for row in rows) == 7
