"""A tree as Linux has it below /sys, with counters that a test moves."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from agent.energy.counters import Counter
from agent.energy.meter import Reading, Stretch

RANGE = 262_143_328_850
"""Microjoules: `max_energy_range_uj` of many Intel processors."""
NEVER = 3600.0
"""Seconds between readings that no test waits for."""


class FakeSysfs:
    """The root directory of a machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.powercap = root / "sys/class/powercap"
        self.hwmon = root / "sys/class/hwmon"
        for directory in (self.powercap, self.hwmon):
            directory.mkdir(parents=True)
        (self.powercap / "intel-rapl").mkdir()  # the control type itself, which is no zone

    def zone(self, path: str, name: str, energy: int = 0, largest: int = RANGE) -> Path:
        """A zone such as `intel-rapl:0`, or one within it, as `intel-rapl:0/intel-rapl:0:2`."""
        zone = self.powercap / path
        zone.mkdir(parents=True, exist_ok=True)
        (zone / "name").write_text(f"{name}\n")
        (zone / "energy_uj").write_text(f"{energy}\n")
        (zone / "max_energy_range_uj").write_text(f"{largest}\n")
        if zone.parent != self.powercap and not (self.powercap / zone.name).exists():
            (self.powercap / zone.name).symlink_to(zone)  # as Linux does: all zones are in one list
        return zone

    def card(self, number: int, driver: str, energy: int | None = None) -> Path:
        """A graphics card's sensors."""
        card = self.hwmon / f"hwmon{number}"
        card.mkdir()
        (card / "name").write_text(f"{driver}\n")
        if energy is not None:
            (card / "energy1_input").write_text(f"{energy}\n")
        return card


def move(zone: Path, microjoules: int, file: str = "energy_uj") -> int:
    """The counter goes on by so much, and begins anew past its largest value; what it is then."""
    path = zone / file
    now = int(path.read_text()) + microjoules
    largest = zone / "max_energy_range_uj"
    if largest.exists():
        now %= int(largest.read_text())
    path.write_text(f"{now}\n")
    return now


def measure(counters: Sequence[Counter], *meanwhile: Callable[[], object]) -> Reading:
    """What a stretch reads in which this happened, with a reading after each."""
    stretch = Stretch(counters, NEVER)
    for happen in meanwhile:
        happen()
        stretch.sample()
    return stretch.end()


class FakeJobs:
    """The agent's running jobs, as a test says."""

    def __init__(self, running: int = 1, comes: Sequence[bool] = ()) -> None:
        self.running, self.added = running, running
        self._comes = itertools.chain(comes, itertools.repeat(False))
        self.ended = threading.Event()
        self.asked = 0

    def company(self) -> tuple[int, int]:
        return self.running, self.added

    def wait_until_none(self, timeout: float) -> bool:
        return True

    def wait_until_some(self, timeout: float) -> bool:
        self.asked += 1
        return next(self._comes)


@pytest.fixture
def sysfs(tmp_path: Path) -> FakeSysfs:
    return FakeSysfs(tmp_path / "root")
