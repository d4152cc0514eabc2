"""`ffrtmp watch` without a media root sends each file once: over kills, changes, and a store that is full."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.api.corner import got
from tests.files.support import content
from tests.masters import Master, start_master, wait_until
from tests.operator.conftest import Ffrtmp
from tests.operator.watched import Start, processes

LARGE = 64 * 1024**2
"""Bytes that take several pieces to send."""


@pytest.fixture
def masters(tmp_path: Path) -> Iterator[list[Master]]:
    """A master with little room, that may be followed by others on the same state."""
    started = [start_master(tmp_path / "master", files_quota="100M")]
    yield started
    started[-1].stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


@pytest.fixture
def local(masters: list[Master], tmp_path: Path) -> Ffrtmp:
    return Ffrtmp(masters[0].url, tmp_path)


def arguments(folder: Path, *more: str) -> tuple[str, ...]:
    return ("watch", str(folder), "--scenario=480p-h264", "--settle=100ms", "--interval=20ms", *more)


@pytest.fixture
def watching(local: Ffrtmp, folder: Path) -> Iterator[Start]:
    with processes(partial(arguments, folder), local.environment) as start:
        yield start


def inputs(master: Master) -> list[str]:
    with master.client() as client:
        return sorted(job["input"] for job in got(client.get("/jobs?limit=500"))["jobs"])


def name_of(data: bytes) -> str:
    return f"file:{hashlib.sha256(data).hexdigest()}"


def under_way(master: Master) -> dict[str, int]:
    """The bytes that have come of each upload that is not whole."""
    found = {}
    for path in (master.state_dir / "files" / "uploads").iterdir():
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            continue
        if 8 * 1024**2 <= size < LARGE:
            found[path.name] = size
    return found


def end(process: subprocess.Popen[str]) -> str:
    """End a watch in order; what it said of what went wrong."""
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    return said


def test_files_are_sent_and_submitted_once_however_often_it_is_asked(
    local: Ffrtmp, masters: list[Master], folder: Path
) -> None:
    data = {b"a day.mov": content(1000, 1), b"caf\xe9.mov": content(1000, 2)}
    for name, each in data.items():
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(each)
    first = local(*arguments(folder, "--once", "--output=media:finished/{stem}.mp4"))
    assert first.returncode == 0, first.stderr
    assert local(*arguments(folder, "--once")).stdout == ""
    with masters[0].client() as client:
        jobs = got(client.get("/jobs"))["jobs"]
        assert {(job["input"], job["output"]) for job in jobs} == {
            (name_of(data[b"a day.mov"]), "media:finished/a day.mp4"),
            (name_of(data[b"caf\xe9.mov"]), r"media:finished/caf\xe9.mp4"),
        }
        stored = got(client.get("/files"))["files"]
        assert ("a day.mov", "video/quicktime") in {(file["name"], file["media_type"]) for file in stored}


def test_a_watch_that_forgot_what_it_submitted_submits_it_once_all_the_same(
    local: Ffrtmp, masters: list[Master], folder: Path, tmp_path: Path
) -> None:
    (folder / "a.mov").write_bytes(content(1000, 3))
    first = local(*arguments(folder, "--once")).stdout
    for file in (tmp_path / ".local").rglob("*.sqlite*"):
        file.unlink()  # as if it was killed before it could note the answer
    assert local(*arguments(folder, "--once")).stdout == first
    assert inputs(masters[0]) == [name_of(content(1000, 3))]


def test_after_kill_nine_in_the_middle_of_a_file_it_goes_on_where_it_was(
    watching: Start, masters: list[Master], folder: Path
) -> None:
    data = content(LARGE, "killed")
    (folder / "a.mov").write_bytes(data)
    process = watching()
    wait_until(lambda: under_way(masters[0]), "a part of it has come", 30)
    process.kill()
    process.wait()
    ((upload, come),) = under_way(masters[0]).items()
    watching()
    seen: dict[str, int] = {}

    def submitted() -> list[str]:
        for name, size in under_way(masters[0]).items():
            seen[name] = min(size, seen.get(name, size))
        return inputs(masters[0])

    assert wait_until(submitted, "it is submitted", 60) == [name_of(data)]
    assert set(seen) <= {upload}
    assert seen.get(upload, come) >= come


def test_a_master_that_is_killed_in_the_middle_of_a_file_gets_the_rest_when_it_is_back(
    watching: Start, masters: list[Master], folder: Path
) -> None:
    data = content(LARGE, "master")
    (folder / "a.mov").write_bytes(data)
    process = watching()
    wait_until(lambda: under_way(masters[0]), "a part of it has come", 30)
    masters[0].kill()
    masters.append(start_master(masters[0].state_dir, port=masters[0].port, files_quota="100M"))
    assert wait_until(lambda: inputs(masters[1]), "it is submitted", 60) == [name_of(data)]
    end(process)


def test_a_file_that_changes_while_it_is_sent_is_submitted_as_it_is_in_the_end(
    watching: Start, masters: list[Master], folder: Path
) -> None:
    data = content(LARGE, "changed")
    (folder / "a.mov").write_bytes(data)
    process = watching()
    wait_until(lambda: under_way(masters[0]), "a part of it has come", 30)
    with (folder / "a.mov").open("ab") as file:
        file.write(b"the end")
    # Both together have no room: what was sent before is let go of.
    assert wait_until(lambda: inputs(masters[0]), "it is submitted", 60) == [name_of(data + b"the end")]
    assert "a.mov changed while it was sent; it is sent when it is whole\n" in end(process)
    assert list((masters[0].state_dir / "files" / "uploads").iterdir()) == []


def test_a_file_that_has_no_room_is_told_and_does_not_stop_the_rest(
    local: Ffrtmp, masters: list[Master], folder: Path
) -> None:
    with (folder / "a.mov").open("wb") as file:
        file.truncate(101 * 10**6 * 11 // 10)
    (folder / "b.mov").write_bytes(content(1000, 4))
    done = local(*arguments(folder, "--once"))
    assert done.returncode == 1
    assert "a.mov is not taken now: The file store holds 0 bytes" in done.stderr
    assert "It is tried again in 5 s." in done.stderr
    assert done.stderr.endswith("Error: not taken: 1 file\n")
    assert inputs(masters[0]) == [name_of(content(1000, 4))]


def test_a_file_that_had_no_room_is_submitted_when_there_is_some(
    watching: Start, local: Ffrtmp, masters: list[Master], folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    for path in (other, folder / "a.mov"):
        path.write_bytes(content(LARGE, path.name))
    held = local("files", "put", str(other)).stdout.strip()
    process = watching()
    assert process.stderr is not None
    assert "a.mov is not taken now" in process.stderr.readline()
    assert local("files", "rm", held).returncode == 0
    wanted = [name_of(content(LARGE, "a.mov"))]
    assert wait_until(lambda: inputs(masters[0]), "it is submitted", 60) == wanted


def test_who_may_not_send_is_told_and_it_ends(masters: list[Master], folder: Path, tmp_path: Path) -> None:
    (folder / "a.mov").write_bytes(b"x")
    with masters[0].client() as client:
        asked = {"role": "viewer", "name": "v", "ttl": 3600}
        token: dict[str, Any] = got(client.post("/tokens", json=asked), 201)
    done = Ffrtmp(masters[0].url, tmp_path)(*arguments(folder, "--once"), FFRTMP_TOKEN=token["token"])
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert inputs(masters[0]) == []
