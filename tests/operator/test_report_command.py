"""`ffrtmp report` reads a master or a saved file, leaves over what is asked for, and writes whole files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.corner import Corner, got
from tests.masters import Client
from tests.operator.conftest import Ffrtmp


@pytest.fixture
def finished(client: Client) -> list[str]:
    """The ids of two finished jobs: one in H.264, one in H.265."""
    corner = Corner(client)
    label = {"for": "report"}
    node = corner.register(address="worker-8", labels=label, run_unlabeled=False)
    ids = []
    for scenario in ("480p30-h264", "480p30-h265"):
        job = got(
            client.post("/jobs", json={"scenario": scenario, "constraints": {"labels": label}}), status=201
        )
        got(corner.report(corner.poll(node["id"])["job"], metrics={"speed": 2.5, "duration": 10}))
        ids.append(job["id"])
    return ids


def points(ffrtmp: Ffrtmp, *arguments: str) -> list[dict[str, Any]]:
    done = ffrtmp("report", "-o", "-", "--format", "json", *arguments)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout)["points"])


def test_jobs_are_chosen_by_id_scenario_codec_and_time(ffrtmp: Ffrtmp, finished: list[str]) -> None:
    assert [p["codec"] for p in points(ffrtmp, *finished)] == ["h264", "h265"]
    assert [p["codec"] for p in points(ffrtmp, *finished, "--codec", "h265")] == ["h265"]
    assert [p["codec"] for p in points(ffrtmp, *finished, "--scenario", "480p30-h264")] == ["h264"]
    assert [p["codec"] for p in points(ffrtmp, "--since", "1h", "--scenario", "480p30-h265")] == ["h265"]
    assert points(ffrtmp, *finished, "--since", "1ms") == []
    assert {p["node"] for p in points(ffrtmp, *finished)} == {"worker-8"}


def test_a_saved_report_is_drawn_without_a_master(
    ffrtmp: Ffrtmp, finished: list[str], tmp_path: Path
) -> None:
    saved, page = tmp_path / "r.json", tmp_path / "r.html"
    assert ffrtmp("report", "-o", str(saved), *finished).returncode == 0
    done = ffrtmp("report", "--from", str(saved), "-o", str(page), FFRTMP_MASTER="https://localhost:1")
    assert (done.returncode, done.stdout) == (0, f"{page}: 2 encodes of 1 clip in 2 ways\n")
    assert "worker-8" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (("-o", "report.pdf"), 2, "report.pdf does not end in .html, .csv or .json; say which with --format"),
        (("-o", "-"), 2, "- does not end in .html"),
        (("--codec", "h266"), 2, "'h266' is not one of"),
        (("--since", "soon"), 2, "'soon' is not a duration"),
        (("--from", "/dev/null/x"), 2, "does not exist"),
        (("none",), 5, "There is no job"),
        (("-o", "/proc/report.html"), 1, "cannot write /proc/report.html"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    ffrtmp: Ffrtmp, arguments: tuple[str, ...], status: int, complaint: str
) -> None:
    done = ffrtmp("report", *arguments)
    assert done.returncode == status
    assert complaint in done.stderr.splitlines()[-1]


def test_a_report_that_cannot_be_written_leaves_the_old_one(
    ffrtmp: Ffrtmp, finished: list[str], tmp_path: Path
) -> None:
    page = tmp_path / "r.html"
    page.write_text("old")
    assert ffrtmp("report", "none", "-o", str(page)).returncode == 5
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir() if f.is_file()] == [("r.html", "old")]


def test_where_nothing_can_draw_it_says_what_to_install_and_csv_still_works(
    ffrtmp: Ffrtmp, finished: list[str], tmp_path: Path
) -> None:
    # As in the single-file binary: both packages cannot be found.
    without = tmp_path / "without"
    without.mkdir()
    (without / "sitecustomize.py").write_text(
        "import importlib.util as u\nreal = u.find_spec\n"
        "u.find_spec = lambda n, *a: None if n in ('matplotlib', 'bjontegaard') else real(n, *a)\n"
    )
    done = ffrtmp.program("report", PYTHONPATH=str(without))
    assert done.returncode == 1
    assert "pip install 'ffmpeg-rtmp[report]'" in done.stderr
    csv = ffrtmp.program("report", "-o", "-", "--format", "csv", *finished, PYTHONPATH=str(without))
    assert len(csv.stdout.splitlines()) == 3
