"""A state directory that cannot be written: no start; and while a master runs, 503 for writes only."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.disk.conftest import Start
from tests.faults.disk.support import Load
from tests.masters import Master, free_port, run_master
from tests.parts import missing


def mount(*arguments: str) -> None:
    if subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode != 0:
        missing("mounting a file system is not allowed here")


@pytest.fixture
def ext4(tmp_path: Path) -> Iterator[Path]:
    """A file system on a disk of its own, which can be made to fail as one with errors does."""
    if shutil.which("mkfs.ext4") is None:
        missing("mkfs.ext4 is not installed")
    image, disk = tmp_path / "image", tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    disk.mkdir()
    mount("-o", "loop", str(image), str(disk))
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_master_does_not_start_and_says_why_in_one_line(
    make_disk: Callable[[str], Path], start: Start, load_on: Callable[[Master], Load]
) -> None:
    disk = make_disk("64m")
    master = start(disk / "state")
    load = load_on(master)
    load.more(10)
    load.end()
    assert master.stop() == 0
    mount("-o", "remount,ro", str(disk))
    ended = run_master(f"--state-dir={disk / 'state'}", f"--port={free_port()}")
    assert ended.returncode == 1
    assert ended.stderr == (
        f"master: cannot write the state directory {disk / 'state'}: Read-only file system; "
        "choose another with --state-dir\n"
    )
    mount("-o", "remount,rw", str(disk))
    load.is_all_there(start(disk / "state"))


def test_a_running_master_refuses_writes_and_goes_on_reading(
    ext4: Path, start: Start, load_on: Callable[[Master], Load]
) -> None:
    """ext4 does this to itself when it finds errors."""
    master = start(ext4 / "state")
    load = load_on(master)
    load.more(20)
    load.end()
    mount("-o", "remount,abort", str(ext4))
    with master.client() as client:
        for _ in range(3):
            refused = client.post("/jobs", json={"scenario": "480p-h264"})
            assert refused.status_code == 503
            assert "Read-only file system" in refused.json()["detail"]
            assert refused.headers["Retry-After"]
            assert client.get("/health").ok
        load.is_all_there(master)
    assert master.stop() == 0
