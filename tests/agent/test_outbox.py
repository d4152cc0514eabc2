"""What the outbox keeps it gives back as it was; it is private, bounded, and survives damage."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from agent.outbox import MOST, Outbox
from common.model import Failure, JobStatus, Report

DONE = Report(
    "job-1",
    "node-1",
    JobStatus.COMPLETED,
    "lease-1",
    2,
    metrics={"fps": 0.1 + 0.2, "frames": 30, "quality": None, "command": "ffmpeg … é"},
    analyzer_output={"recommendation": "none"},
)
FAILED = replace(
    DONE, lease_id="lease-2", status=JobStatus.FAILED, error=Failure("disk_full", "no space"), metrics={}
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "master" / "outbox"


def test_reports_come_back_as_they_were_in_their_order(directory: Path) -> None:
    outbox = Outbox(directory)
    assert outbox.empty()
    outbox.keep(DONE, "instance-1")
    outbox.keep(FAILED, "instance-2")
    assert list(Outbox(directory).left()) == [("instance-1", DONE), ("instance-2", FAILED)]
    assert not outbox.empty()


def test_what_was_answered_is_forgotten(directory: Path) -> None:
    outbox = Outbox(directory)
    outbox.keep(DONE, "instance-1")
    outbox.forget(DONE)
    outbox.forget(DONE)
    assert outbox.empty()
    assert list(directory.iterdir()) == []


def test_nobody_else_can_read_it(directory: Path) -> None:
    Outbox(directory).keep(DONE, "instance-1")
    (file,) = directory.iterdir()
    assert file.name == "lease-1.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_no_lease_names_a_file_elsewhere(directory: Path) -> None:
    for lease in ("../../evil", "/etc/evil", ".."):
        Outbox(directory).keep(replace(DONE, lease_id=lease), "instance-1")
    assert [path.parent for path in directory.parent.parent.rglob("*") if path.is_file()] == [directory] * 3


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"instance": "x", "report": {"error": null}}'])
def test_a_damaged_file_is_set_aside_and_the_others_are_read(
    directory: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = Outbox(directory)
    outbox.keep(DONE, "instance-1")
    (directory / "lease-0.json").write_bytes(damage)
    assert list(outbox.left()) == [("instance-1", DONE)]
    aside = directory / "lease-0.json.unreadable"
    assert aside.read_bytes() == damage
    assert str(aside) in caplog.text
    assert list(outbox.left()) == [("instance-1", DONE)]


def test_the_oldest_goes_when_there_are_too_many(directory: Path) -> None:
    directory.mkdir(parents=True)
    for number in range(MOST):
        file = directory / f"lease-{number}.json"
        file.touch()
        os.utime(file, ns=(number, number))
    Outbox(directory).keep(replace(DONE, lease_id="newest"), "instance-1")
    left = {file.name for file in directory.iterdir()}
    assert len(left) == MOST
    assert "lease-0.json" not in left
    assert {"lease-1.json", "newest.json"} < left


def test_a_place_that_cannot_be_written_is_a_warning(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory.parent.mkdir()
    directory.touch()
    outbox = Outbox(directory)
    outbox.keep(DONE, "instance-1")
    outbox.forget(DONE)
    assert outbox.empty()
    assert f"is kept in memory only: cannot write {directory}" in caplog.text
