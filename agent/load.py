"""How busy this machine is, all its programs together."""

from __future__ import annotations

import psutil

from common.model import Load


class Meter:
    """Reads the kernel's counters; the CPU's share is that between two readings."""

    def __init__(self) -> None:
        """The first reading counts from now on."""
        self._before: tuple[float, float] | None = _cpu()

    def read(self) -> Load:
        """The load since the reading before; what the kernel does not tell is None."""
        before, self._before = self._before, _cpu()
        return Load(cpu=share(before, self._before), memory=_memory())


def share(before: tuple[float, float] | None, after: tuple[float, float] | None) -> float | None:
    """The part of the CPUs' time that was used between two readings; None if no time has passed.

    A reading: CPU seconds in all, and idle ones of them.
    """
    if before is None or after is None or after[0] <= before[0]:
        return None
    idle = (after[1] - before[1]) / (after[0] - before[0])
    return round(min(1.0, max(0.0, 1.0 - idle)), 4)


def _cpu() -> tuple[float, float] | None:
    try:
        times = psutil.cpu_times()
    except (OSError, RuntimeError):
        return None
    # The time of guests is in that of users already (proc(5)); to wait for a disk is to be idle.
    counted = [value for name, value in times._asdict().items() if not name.startswith("guest")]
    return sum(counted), times.idle + getattr(times, "iowait", 0.0)


def _memory() -> float | None:
    try:
        memory = psutil.virtual_memory()
    except (OSError, RuntimeError):
        return None
    return round(1.0 - memory.available / memory.total, 4)
