"""`ffrtmp watch` submits each file once: over restarts, kills, renames, and a master that is away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.masters import ROOT, Client, Master, free_port, start_master, wait_until
from tests.operator.conftest import Ffrtmp
from tests.operator.watched import Start, processes

FAST = ("--settle=100ms", "--interval=20ms")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


def arguments(folder: Path, *more: str) -> tuple[str, ...]:
    return ("watch", str(folder), "--scenario=480p-h264", "--media-root=films", *FAST, *more)


def inputs(client: Client, folder: Path) -> list[str]:
    """What has been submitted of this test's folder: jobs that carry its label."""
    wanted = {"of": folder.parent.name}
    return sorted(job["input"] for job in jobs_of(client) if job["constraints"]["labels"] == wanted)


def jobs_of(client: Client) -> Iterator[dict[str, Any]]:
    """All jobs: other tests have left theirs with this master."""
    page = client.get("/jobs?limit=500").json()
    yield from page["jobs"]
    while page["next"] is not None:
        page = client.get(f"/jobs?limit=500&after={page['next']}").json()
        yield from page["jobs"]


def are_submitted(client: Client, folder: Path, most: int) -> bool:
    return len(inputs(client, folder)) >= most


def label(folder: Path) -> str:
    return f"--label=of={folder.parent.name}"


@pytest.fixture
def watching(ffrtmp: Ffrtmp, folder: Path) -> Iterator[Start]:
    with processes(partial(arguments, folder), ffrtmp.environment) as start:
        yield start


def test_what_is_there_is_submitted_once_however_often_it_is_asked(
    ffrtmp: Ffrtmp, client: Client, folder: Path
) -> None:
    (folder / "a day.mov").write_bytes(b"x")
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9\n.mov")).write_bytes(b"x")
    (folder / "empty.mov").touch()
    first = ffrtmp(*arguments(folder, "--once", label(folder)))
    assert first.returncode == 0, first.stderr
    assert sorted(line.partition("  ")[2] for line in first.stdout.splitlines()) == [
        "a day.mov",
        r"caf\xe9\x0a.mov",
    ]
    assert ffrtmp(*arguments(folder, "--once", label(folder))).stdout == ""
    (folder / "a day.mov").rename(folder / "another name.mov")
    assert ffrtmp(*arguments(folder, "--once", label(folder))).stdout == ""
    (folder / "another name.mov").write_bytes(b"new content")
    assert "another name.mov" in ffrtmp(*arguments(folder, "--once", label(folder))).stdout
    assert inputs(client, folder) == [
        "media:films/a day.mov",
        "media:films/another name.mov",
        r"media:films/caf\xe9\x0a.mov",
    ]


def test_a_watch_that_forgot_what_it_submitted_submits_it_once_all_the_same(
    ffrtmp: Ffrtmp, client: Client, folder: Path, tmp_path: Path
) -> None:
    (folder / "a.mov").write_bytes(b"x")
    first = ffrtmp(*arguments(folder, "--once", label(folder))).stdout
    for file in (tmp_path / ".local").rglob("*.sqlite*"):
        file.unlink()  # as if it was killed before it could note the answer
    assert ffrtmp(*arguments(folder, "--once", label(folder))).stdout == first
    for file in (tmp_path / ".local").rglob("*.sqlite*"):
        file.unlink()
    changed = ffrtmp(*arguments(folder, "--once", label(folder), "--parameter=duration=1"))
    assert changed.stdout == first
    assert inputs(client, folder) == ["media:films/a.mov"]


def test_what_appears_is_submitted_and_a_signal_ends_it_cleanly(
    watching: Start, client: Client, folder: Path
) -> None:
    process = watching(label(folder))
    (folder / "a.mov").write_bytes(b"x")
    wait_until(lambda: inputs(client, folder) == ["media:films/a.mov"], "it is submitted")
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert "Traceback" not in said


def test_after_kill_nine_it_goes_on_where_it_was(watching: Start, client: Client, folder: Path) -> None:
    names = [f"{number:02}.mov" for number in range(30)]
    for name in names:
        (folder / name).write_bytes(b"x")
    for most in (5, 15):
        process = watching(label(folder))
        wait_until(partial(are_submitted, client, folder, most), "some are submitted")
        process.kill()
        process.wait()
    watching(label(folder), "--once").communicate(timeout=60)
    assert inputs(client, folder) == [f"media:films/{name}" for name in names]


def test_a_second_watch_of_the_same_is_refused(
    watching: Start, ffrtmp: Ffrtmp, folder: Path, client: Client
) -> None:
    (folder / "a.mov").write_bytes(b"x")
    watching(label(folder))
    wait_until(lambda: inputs(client, folder), "it watches")
    second = ffrtmp(*arguments(folder, "--once"))
    assert second.returncode == 1
    assert "another ffrtmp watches this folder" in second.stderr


def test_a_master_that_comes_later_gets_all(folder: Path, tmp_path: Path) -> None:
    (folder / "a.mov").write_bytes(b"x")
    port = free_port()
    ffrtmp = Ffrtmp(f"https://localhost:{port}", tmp_path)
    command = [
        sys.executable,
        "-c",
        "from master.operator.cli import main; main()",
        *arguments(folder, "--once"),
    ]
    with subprocess.Popen(
        command, cwd=ROOT, env=ffrtmp.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "the master cannot be reached; trying again in 1 s\n"
        master = start_master(tmp_path / "late", port=port)
        try:
            said, _ = process.communicate(timeout=60)
            assert said.endswith("  a.mov\n")
        finally:
            master.stop()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--media-root=../x"], "a media root is named by"),
        (["--media-root=films/../x"], "no name in the path may be empty, . or .."),
        (["--output=media:finished/a.mp4"], "each file needs a place of its own"),
        (["--output=/srv/out"], "write files for the master's file store"),
        (["--settle=soon"], "soon"),
    ],
)
def test_what_cannot_be_is_a_usage_error(ffrtmp: Ffrtmp, folder: Path, more: list[str], message: str) -> None:
    done = ffrtmp(*arguments(folder, *more))
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split()).replace("│ ", "")


def test_what_the_master_refuses_is_told_and_does_not_stop_the_rest(
    ffrtmp: Ffrtmp, client: Client, folder: Path, master: Master
) -> None:
    for name in ("a.mov", "b.mov"):
        (folder / name).write_bytes(b"x")
    done = ffrtmp(*arguments(folder, "--once", label(folder), "--parameter=crf=99"))
    assert done.returncode == 1
    assert "a.mov is not taken: parameters.crf" in done.stderr
    assert "not taken: 2 files" in done.stderr
    assert inputs(client, folder) == []
