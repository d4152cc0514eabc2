"""What a report tells of an encode: pure. Amounts are per second of video: clips of any length compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Metrics = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One column of the tables."""

    name: str
    """In CSV and JSON."""
    title: str
    unit: str
    digits: int
    """Decimals that are shown."""
    read: Callable[[Metrics], float | None]
    """Its value in a result's metrics; None: unknown."""
    better: str = "less"
    """`more` or `less`."""


def _metric(name: str, scale: float = 1.0) -> Callable[[Metrics], float | None]:
    def read(metrics: Metrics) -> float | None:
        value = metrics.get(name)
        return None if isinstance(value, bool) or not isinstance(value, int | float) else value * scale

    return read


def _per_video_second(name: str, scale: float = 1.0) -> Callable[[Metrics], float | None]:
    amount, length = _metric(name, scale), _metric("duration")

    def read(metrics: Metrics) -> float | None:
        value, seconds = amount(metrics), length(metrics)
        return None if value is None or not seconds else value / seconds

    return read


BITRATE = Quantity("bitrate", "Bitrate", "kbit/s", 0, _metric("bitrate", 0.001))
SPEED = Quantity("speed", "Speed", "× real time", 2, _metric("speed"), "more")
CPU = Quantity("cpu", "CPU", "CPU s per s", 2, _per_video_second("cpu_seconds"))
MEMORY = Quantity("peak_memory", "Memory", "MB", 0, _metric("peak_memory_bytes", 1e-6))
ENERGY = Quantity("energy", "Energy", "J per s", 1, _per_video_second("energy_joules"))
ENERGY_NET = Quantity("energy_net", "Energy above idle", "J per s", 1, _per_video_second("energy_net_joules"))
COST = Quantity("cost", "Cost", "per hour", 4, _per_video_second("cost", 3600))
QUALITIES = (
    Quantity("vmaf", "VMAF", "", 2, _metric("vmaf_mean"), "more"),
    Quantity("xpsnr", "XPSNR", "dB", 2, _metric("xpsnr_mean"), "more"),
    Quantity("psnr", "PSNR", "dB", 2, _metric("psnr_mean"), "more"),
    Quantity("ssim", "SSIM", "", 4, _metric("ssim_mean"), "more"),
)
"""In the order in which one is chosen to be drawn."""
VMAF_WORST = (
    Quantity("vmaf_p1", "VMAF, 1st percentile", "", 2, _metric("vmaf_p1"), "more"),
    Quantity("vmaf_worst_second", "VMAF, worst second", "", 2, _metric("vmaf_worst_second"), "more"),
)
QUANTITIES = (BITRATE, *QUALITIES, *VMAF_WORST, SPEED, CPU, MEMORY, ENERGY, ENERGY_NET, COST)
