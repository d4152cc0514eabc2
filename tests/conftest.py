"""What every test may have (an operator, a small disk), and what it leaves behind: nothing."""

from __future__ import annotations

import gc
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

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


TOGETHER = ("tests/dashboard", "tests/operator")
"""Directories whose files are for one worker, one after the other.

Of the first, a browser and a master with very many jobs are started once; of the second, a master with the
usual terms does not live so long that what earlier tests left there is lost amid later ones.
"""


def pytest_collection() -> None:
    """What is loaded to collect the tests stays: the collector looks for no garbage amid it, now or later."""
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """From now on it looks at what tests make."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest files first, and those of each directory evenly among the others.

    `--no-loadscope-reorder` (Makefile) keeps that order between workers. Some directories mostly wait, others
    mostly compute: so a worker with one of these has a core while another one waits.
    """
    longest = {ROOT / "tests" / name: number for number, name in enumerate(LONGEST)}
    place = spread(item.path for item in items)
    items.sort(key=lambda item: longest.get(item.path, len(LONGEST) + place[item.path]))
    for item in items:
        if item.path in longest and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(PATIENCE))


def spread(paths: Iterable[Path]) -> dict[Path, float]:
    """A place between 0 and 1 for each file: those of a directory at equal distances and in their order.

    Those that are for one worker come first. Pure.
    """
    files: dict[str, list[Path]] = {}
    for path in dict.fromkeys(paths):
        files.setdefault(str(path.parent.relative_to(ROOT)), []).append(path)
    return {
        path: 0.0 if directory in TOGETHER else (number + 0.5) / len(found)
        for directory, found in files.items()
        for number, path in enumerate(found)
    }


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file at a time, or a directory."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):  # type: ignore[misc]  # it publishes no types
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return next((each for each in TOGETHER if file.startswith(f"{each}/")), file)

    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


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
