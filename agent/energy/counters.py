"""What an energy counter is, and what several of them together say. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from common.model import EnergySource


class Part(StrEnum):
    """Which part of a machine a counter counts."""

    PACKAGE = "package"
    """A processor: its cores, its caches, its graphics."""
    DRAM = "dram"
    """The memory of a processor, which its package does not count."""
    PLATFORM = "psys"
    """The whole board, processors and memory included."""
    GPU = "gpu"
    """A graphics card, which no processor counts."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Energy that only grows, until it begins at 0 again."""

    name: str
    """As people know it: `package-0`, `dram of package-0`, `psys`, `GPU 0`."""
    part: Part
    read: Callable[[], int] = field(compare=False)
    """Microjoules now; `OSError` if it cannot be read."""
    modulus: int | None = None
    """Microjoules at which it is 0 again; None: never in practice."""


@dataclass(frozen=True, slots=True)
class Found:
    """The counters that can be read, and why others cannot."""

    counters: tuple[Counter, ...] = ()
    missing: str | None = None
    """A sentence for people; None if nothing is missing."""


def advance(before: int, now: int, modulus: int | None) -> int:
    """Microjoules between two readings of a counter that was read before it could wrap twice."""
    if now >= before or modulus is None:
        return max(0, now - before)
    return now + modulus - before


def total(joules: Mapping[Counter, float]) -> tuple[float, list[str]]:
    """What the machine used, and the names of the counters that are in the sum; nothing counts twice.

    `psys` counts the whole board, so it stands for packages and memory. But some boards
    have it and do not wire it up: what claims to be less than its parts is not the whole.
    """
    by_part: dict[Part, float] = {}
    for counter, used in joules.items():
        by_part[counter.part] = by_part.get(counter.part, 0.0) + used
    parts = {Part.PACKAGE, Part.DRAM}
    if by_part.get(Part.PLATFORM, 0.0) >= sum(by_part.get(part, 0.0) for part in parts):
        parts = {Part.PLATFORM} & by_part.keys() or parts
    parts.add(Part.GPU)
    counted = [counter for counter in joules if counter.part in parts]
    return sum(joules[counter] for counter in counted), [counter.name for counter in counted]


def source_of(counters: Sequence[Counter]) -> EnergySource | None:
    """What energy that comes from these is called; None without any."""
    has_gpu = any(counter.part is Part.GPU for counter in counters)
    has_rapl = any(counter.part is not Part.GPU for counter in counters)
    if has_gpu and has_rapl:
        return EnergySource.BOTH
    if has_gpu:
        return EnergySource.GPU
    return EnergySource.RAPL if has_rapl else None
