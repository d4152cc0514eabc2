"""The processor's own energy counters (RAPL), as Linux shows them below /sys/class/powercap.

Intel's and AMD's processors both appear as `intel-rapl`. A package contains its cores and its
graphics (`core`, `uncore`), so these are never added; memory (`dram`) is beside it. The same
package can appear once more as `intel-rapl-mmio`, by another road to the same counter.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from agent.energy.counters import Counter, Found, Part

POWERCAP = "sys/class/powercap"
_ZONE = re.compile(r"intel-rapl(-mmio)?:\d+", re.ASCII)
_DIGITS = 20
HOW_TO_ALLOW = (
    "give the agent's group the right to read it, as docs/measurements.md says under Energy, "
    "and restart the agent"
)


def find(root: Path = Path("/")) -> Found:
    """The counters below `root` that are needed for the whole; none if one of them cannot be read."""
    counters: list[Counter] = []
    denied: list[Path] = []
    seen: set[str] = set()
    for zone in _zones(root / POWERCAP):
        name = _text(zone / "name")
        if name is None or name in seen or not (name == "psys" or name.startswith("package-")):
            continue
        seen.add(name)
        part = Part.PLATFORM if name == "psys" else Part.PACKAGE
        domains = [(zone, name, part)]
        domains += [
            (sub, f"dram of {name}", Part.DRAM)
            for sub in sorted(zone.glob(f"{zone.name}:*"))
            if _text(sub / "name") == "dram"
        ]
        for directory, called, kind in domains:
            counter = _counter(directory, called, kind)
            if counter is not None:
                counters.append(counter)
            elif kind is not Part.PLATFORM:  # without it, its parts are still the whole of what is known
                denied.append(directory / "energy_uj")
    if denied:
        why = f"the processor's energy counter {denied[0]} cannot be read by this user; {HOW_TO_ALLOW}"
        return Found(missing=why)
    if not counters:
        return Found(missing="the processor shows no energy counter (RAPL) here, as in most virtual machines")
    return Found(tuple(counters))


def _zones(powercap: Path) -> list[Path]:
    """`intel-rapl` before `intel-rapl-mmio`, in the order of their numbers."""
    try:
        zones = [zone for zone in powercap.iterdir() if _ZONE.fullmatch(zone.name)]
    except OSError:
        return []
    return sorted(
        zones, key=lambda zone: (zone.name.startswith("intel-rapl-mmio"), len(zone.name), zone.name)
    )


def _counter(zone: Path, name: str, part: Part) -> Counter | None:
    """The zone's counter, if it can be read now."""
    try:
        read_number(zone / "energy_uj")
        largest = read_number(zone / "max_energy_range_uj")
    except OSError:
        return None
    return Counter(name, part, partial(read_number, zone / "energy_uj"), largest)


def read_number(path: Path) -> int:
    """A whole number of a file in /sys; `OSError` if it cannot be read, or is none."""
    text = path.read_text("ascii", "replace").strip()
    if not (text.isdecimal() and len(text) <= _DIGITS):
        raise OSError(f"{path} has no number in it: {text[:40]!r}")
    return int(text)


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return None
