"""What every test may have (an operator, a small disk), and what it leaves behind: nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import databases
from tests.api.corner import Corner
from tests.core.support import crash_all
from tests.masters import ROOT, Client, Master
from tests.parts import missing

# Where mkfs and ip are, and where not every user's PATH looks.
os.environ["PATH"] += ":/usr/sbin:/sbin"


LONGEST = (
    "faults/test_many_kills.py",
    "docs/test_guide.py",
    "api/test_schemathesis.py",
    "faults/network/test_slow_networks.py",
    "faults/disk/test_crash_in_a_snapshot.py",
    "packaging/test_binaries_run_elsewhere.py",
    "packaging/test_binaries_are_built.py",
    "system/test_watching_jobs.py",
    "system/test_finished_work_is_kept.py",
    "system/test_master_restarts.py",
    "system/test_partitions.py",
    "system/test_ladders.py",
    "system/test_no_secret_leaks.py",
    "system/test_the_demo.py",
    "core/test_invariants.py",
    "faults/network/test_1000_agents_come_back.py",
    "faults/disk/test_killed_at_a_sync.py",
    "system/test_rolling_upgrade.py",
)
"""Files that take longest: begun first, no worker is left with one of them when the others are done."""
PATIENCE = 900
"""Seconds that a test of these may take. They begin at the same time, and other programs may be busy too."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest files first; `--no-loadscope-reorder` (Makefile) keeps that order between workers."""
    place = {ROOT / "tests" / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(LONGEST)))
    for item in items:
        if item.path in place and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(PATIENCE))


@pytest.fixture(autouse=True)
def _no_files_stay_open() -> Iterator[None]:
    yield
    crash_all()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[databases.Server]:
    """A real PostgreSQL; each farm in it has a schema of its own."""
    with databases.server() as running:
        yield running


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
