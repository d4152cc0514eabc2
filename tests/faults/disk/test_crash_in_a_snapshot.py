"""The process that makes a snapshot may die at any step: nothing changes, and the next one succeeds."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from master.store import snapshot
from master.store.folding import FOLD_AFTER
from master.store.segments import segments
from tests.faults.disk.support import strace
from tests.masters import ROOT
from tests.store.support import audited, recorded_in
from tests.store.test_snapshot import busy_farm, records_of

LAST = "fsync:6"  # that these are gone
STEPS = [
    "fsync:1",  # the directory of the audit
    "fsync:2",  # the content of its new file
    "rename:1",  # its name
    "fsync:3",  # the name on disk
    "fsync:4",  # the new snapshot's content
    "rename:2",  # its name
    "fsync:5",  # the name on disk
    *(f"unlink:{count}" for count in range(1, FOLD_AFTER + 1)),  # what it covers
    LAST,
]


@dataclass(frozen=True)
class Farm:
    """What a busy farm left."""

    root: Path
    records: dict[str, object]
    story: list[Any]


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Farm:
    root = tmp_path_factory.mktemp("farm")
    return Farm(root, busy_farm(root), recorded_in(root))


def fold(directory: Path, *prefix: str) -> int:
    command = [sys.executable, "-P", "-m", "master.store.snapshot", str(directory), str(FOLD_AFTER)]
    done = subprocess.run(
        [*prefix, *command],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
        timeout=60,
    )
    return done.returncode


@pytest.mark.parametrize("step", STEPS)
def test_state_and_audit_are_the_same_and_the_next_snapshot_succeeds(
    tmp_path: Path, farm: Farm, step: str
) -> None:
    shutil.copytree(farm.root, tmp_path, dirs_exist_ok=True)
    directory = tmp_path / "journal"
    call, count = step.split(":")
    assert fold(directory, *strace(f"{call}:signal=KILL:when={count}")) == -signal.SIGKILL
    assert bool(segments(directory)) == (step != LAST)
    assert audited(tmp_path) == farm.story[::-1]
    assert records_of(tmp_path) == farm.records
    assert not list(directory.glob("*.part"))
    snapshot.fold(directory, FOLD_AFTER)
    assert (directory / snapshot.NAME).exists()
    assert records_of(tmp_path) == farm.records
    assert audited(tmp_path) == farm.story[::-1]
    assert not list((tmp_path / "audit").glob("*.part"))
