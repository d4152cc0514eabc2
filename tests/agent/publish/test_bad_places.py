"""A disk that is full or may only be read fails the job with a sentence, and leaves nothing of it there."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.beneath import RootError
from agent.publish.rules import OutputFailedError, refusal
from tests.agent.publish.attempt import Attempt, tree

BIG = {"480p-h264.mp4": b"x" * 2_000_000}
MakeDisk = Callable[[str], Path]


def attempt(tmp_path: Path, root: Path) -> Attempt:
    return Attempt(tmp_path / "work", "media:finished/new/a.mp4", roots={"finished": root})


@pytest.mark.parametrize("pieces", [False, True], ids=["file", "pieces"])
def test_a_full_disk(tmp_path: Path, make_disk: MakeDisk, pieces: bool) -> None:
    disk = make_disk("300k")
    (disk / "other").write_bytes(b"precious")
    job = attempt(tmp_path, disk)
    assert job.fails(BIG, pieces=pieces) == "disk_full"
    assert job.message == "no space was left for 'new/a.mp4' below the media root 'finished'"
    assert [path.name for path in disk.iterdir()] == ["other"]


def test_a_disk_that_may_only_be_read(tmp_path: Path, make_disk: MakeDisk) -> None:
    disk = make_disk("1m")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    job = attempt(tmp_path, disk)
    assert job.fails() == "output_refused"
    assert "can only be read on this node" in job.message


def test_a_root_that_is_gone_is_the_nodes_fault(tmp_path: Path) -> None:
    with pytest.raises(RootError, match="is its disk mounted"):
        attempt(tmp_path, tmp_path / "nothing").publishes()


@pytest.mark.parametrize(
    ("number", "code", "sentence"),
    [
        (errno.ENOSPC, "disk_full", "no space was left for X"),
        (errno.EDQUOT, "disk_full", "no space was left for X"),
        (errno.EACCES, "output_refused", "X cannot be written: the agent has no right to write there"),
        (
            errno.ENAMETOOLONG,
            "output_refused",
            "X cannot be written: a name in it is too long for its file system",
        ),
    ],
)
def test_what_the_system_says_is_put_in_words(number: int, code: str, sentence: str) -> None:
    failure = refusal(OSError(number, os.strerror(number)), "X")
    assert isinstance(failure, OutputFailedError)
    assert (failure.code, str(failure)) == (code, sentence)


def test_a_broken_disk_is_the_nodes_fault() -> None:
    error = OSError(errno.EIO, "Input/output error")
    assert refusal(error, "X") is error


def test_a_name_that_its_further_files_make_too_long_is_told(tmp_path: Path) -> None:
    root = tmp_path / "finished"
    root.mkdir()
    job = Attempt(tmp_path / "work", f"media:finished/{'x' * 255}", roots={"finished": root})
    assert job.fails({"a.mp4": b"x", "quality.json": b"{}"}) == "output_refused"
    assert "too long" in job.message
    assert tree(root) == {}
