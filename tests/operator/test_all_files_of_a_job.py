"""`ffrtmp files get JOB_ID` gets all that a job made; `results` and `jobs show` list it for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from master.operator.details import MOST, size, summed_up
from tests.api.corner import Corner, got
from tests.files.support import artifact, content, finish_with, store
from tests.masters import Client
from tests.operator.conftest import Ffrtmp

PATHS = ("master.m3u8", "720p/index.m3u8", "720p/seg 1.m4s", r"720p/caf\xe9.m4s")


@pytest.fixture
def claimed(client: Client) -> dict[str, Any]:
    job: dict[str, Any] = Corner(client).start()[1]
    return job


def stream(client: Client) -> list[dict[str, Any]]:
    return [
        artifact(store(client, content(1000, path)), path, "segment", "video/iso.segment") for path in PATHS
    ]


def files_in(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory))
        .encode("utf-8", "surrogateescape")
        .decode("latin-1"): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


WANTED = {path.replace(r"\xe9", "\xe9"): content(1000, path) for path in PATHS}


def test_they_keep_their_places_and_the_same_command_goes_on(
    ffrtmp: Ffrtmp, client: Client, claimed: dict[str, Any], tmp_path: Path
) -> None:
    finish_with(Corner(client), claimed, *stream(client))
    target = tmp_path / "new" / "copy"
    done = ffrtmp("files", "get", claimed["id"], "-o", str(target))
    assert (done.returncode, done.stdout) == (0, f"{target}\n"), done.stderr
    assert files_in(target) == WANTED
    kept = (target / "master.m3u8").stat()
    (target / "720p/index.m3u8").unlink()
    assert ffrtmp("files", "get", claimed["id"], "-o", str(target)).returncode == 0
    assert files_in(target) == WANTED
    assert (target / "master.m3u8").stat() == kept


def test_another_file_is_written_over_only_if_that_is_asked(
    ffrtmp: Ffrtmp, client: Client, claimed: dict[str, Any], tmp_path: Path
) -> None:
    finish_with(Corner(client), claimed, *stream(client))
    (tmp_path / "master.m3u8").write_text("mine")
    done = ffrtmp("files", "get", claimed["id"], "-o", str(tmp_path))
    assert done.returncode == 1
    assert "master.m3u8 is another file; choose another directory with -o, or --overwrite" in done.stderr
    assert (tmp_path / "master.m3u8").read_text() == "mine"
    assert ffrtmp("files", "get", claimed["id"], "-o", str(tmp_path), "--overwrite").returncode == 0
    assert (tmp_path / "master.m3u8").read_bytes() == WANTED["master.m3u8"]


@pytest.mark.parametrize("path", ["../a.mp4", "/etc/a.mp4", "a/../../b", "a//b", r"a\x2fb"])
def test_a_path_that_leads_elsewhere_is_refused_before_anything_is_written(
    ffrtmp: Ffrtmp, client: Client, claimed: dict[str, Any], tmp_path: Path, path: str
) -> None:
    good, bad = stream(client)[:2]
    finish_with(Corner(client), claimed, good, {**bad, "path": path})
    target = tmp_path / "inner" / "copy"
    done = ffrtmp("files", "get", claimed["id"], "-o", str(target))
    assert done.returncode == 1
    assert "nothing is written" in done.stderr
    assert not target.parent.exists()


def test_what_is_not_in_the_file_store_is_told(
    ffrtmp: Ffrtmp, client: Client, claimed: dict[str, Any], tmp_path: Path
) -> None:
    one, other = stream(client)[:2]
    finish_with(Corner(client), claimed, one, {**other, "location": None})
    done = ffrtmp("files", "get", claimed["id"], "-o", str(tmp_path / "copy"))
    assert done.returncode == 1
    assert "1 of the 2 files" in done.stderr
    assert "720p/index.m3u8 is on its node alone" in done.stderr
    assert not (tmp_path / "copy").exists()


def test_a_result_lists_what_it_has_many_of(ffrtmp: Ffrtmp, client: Client, claimed: dict[str, Any]) -> None:
    made = stream(client)
    findings = {
        "artifacts": [*made, {**made[0], "path": "quality.json", "location": None}],
        "repeats": [{"speed": 1.25, "wall_seconds": 2.5, "cpu_seconds": None}],
        "probes": [{"crf": 27.5, "vmaf": 93.125, "bitrate": 1_500_000, "whole": True}],
        "warnings": ["only 5 frames can be read"],
    }
    got(Corner(client).report(claimed, metrics={"frames": 5}, findings=findings))
    lines = [" ".join(line.split()) for line in ffrtmp("results", claimed["id"]).stdout.splitlines()]
    assert "frames: 5" in lines
    assert f"720p/seg 1.m4s segment 1000 B {made[2]['location']}" in lines
    assert "quality.json segment 1000 B on the node" in lines
    assert "1.250x 2.50 s - -" in lines
    assert "27.5 93.12 1,500 kbit/s the whole file" in lines
    assert lines[lines.index("warnings:") + 1] == "only 5 frames can be read"
    shown = ffrtmp("jobs", "show", claimed["id"]).stdout
    assert "720p/seg 1.m4s" in shown
    assert "only 5 frames can be read" in shown
    assert "artifacts" not in ffrtmp.json("jobs", "show", claimed["id"])


def test_of_many_the_pieces_are_counted() -> None:
    def made(path: str, kind: str) -> dict[str, Any]:
        return {"path": path, "kind": kind, "size": 10, "location": "file:0"}

    pieces = [made(f"{number}.m4s", "segment") for number in range(MOST)]
    playlist = made("master.m3u8", "playlist")
    assert summed_up(pieces) == pieces
    assert summed_up([*pieces, playlist]) == [
        playlist,
        {"path": f"({MOST} files)", "kind": "segment", "size": 10 * MOST, "location": "file store"},
    ]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 * 1024**4, "3.0 TiB")]
)
def test_sizes_are_for_people(count: int, text: str) -> None:
    assert size(count) == text
