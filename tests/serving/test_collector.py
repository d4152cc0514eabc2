"""The collector of cycles does not walk through what the master holds, so that nobody waits for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from master.collector import LONG, SettingAside
from tests.dashboard.big import write_state
from tests.masters import ROOT

_LOAD = """
import gc, sys
from pathlib import Path
from master.config import Config
from master.runtime import Runtime
runtime = Runtime(Config(Path(sys.argv[1])))
frozen, left = gc.get_freeze_count(), len(gc.get_objects())
runtime.begin_shutdown()
runtime.close()
print(frozen, left)
"""
JOBS = 2000


class Collections:
    """Full or young collections that take as long as they are told, and how often all was set aside."""

    def __init__(self) -> None:
        self.now = 0.0
        self.frozen = 0
        self._callback = SettingAside(lambda: self.now, self._freeze)

    def _freeze(self) -> None:
        self.frozen += 1

    def collect(self, generation: int, seconds: float) -> None:
        self._callback("start", {"generation": generation})
        self.now += seconds
        self._callback("stop", {"generation": generation})


@pytest.mark.parametrize(
    ("generation", "seconds", "frozen"),
    [(2, 2 * LONG, 1), (2, LONG / 2, 0), (1, 2 * LONG, 0), (0, 2 * LONG, 0)],
)
def test_what_a_long_full_collection_left_is_set_aside(generation: int, seconds: float, frozen: int) -> None:
    collections = Collections()
    collections.collect(generation, seconds)
    assert collections.frozen == frozen


def test_each_long_one_sets_aside_what_came_since() -> None:
    collections = Collections()
    for _ in range(3):
        collections.collect(2, 2 * LONG)
    assert collections.frozen == 3


def test_a_master_that_has_loaded_its_state_has_set_it_aside(tmp_path: Path) -> None:
    write_state(tmp_path / "state", JOBS, JOBS // 2)
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, str(tmp_path / "state")],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    frozen, left = map(int, done.stdout.split())
    assert left < JOBS < frozen
