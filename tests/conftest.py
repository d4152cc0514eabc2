"""What every test may have (an operator, a small disk), and what it leaves behind: nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.corner import Corner
from tests.core.support import crash_all
from tests.masters import Client, Master
from tests.parts import missing

# Where mkfs and ip are, and where not every user's PATH looks.
os.environ["PATH"] += ":/usr/sbin:/sbin"


@pytest.fixture(autouse=True)
def _no_files_stay_open() -> Iterator[None]:
    yield
    crash_all()


@pytest.fixture
def client(master: Master) -> Iterator[Client]:
    """The operator, through the local door."""
    with master.client() as client:
        yield client


@pytest.fixture
def corner(client: Client) -> Corner:
    return Corner(client)


@pytest.fixture
def make_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Makes file systems of a size such as `300k`, in memory."""
    disks: list[Path] = []

    def make(size: str) -> Path:
        disk = tmp_path / f"disk-{size}"
        disk.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
            missing("mounting a small file system is not allowed here")
        disks.append(disk)
        return disk

    yield make
    for disk in disks:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
