"""The energy counters of graphics cards: NVIDIA's by NVML, Intel's by hwmon.

NVML counts millijoules since the driver was loaded, from the Volta cards on. Linux's drivers
`i915` and `xe` show `energy1_input` for cards of their own, not for graphics in the processor,
which RAPL counts. `amdgpu` shows a power that its firmware has averaged over a time that is not
documented, and no energy: that is no counter, and it is not used.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from agent.energy.counters import Counter, Found, Part
from agent.energy.rapl import read_number

_DRIVERS = ("i915", "xe", "amdgpu")


def load_nvml() -> Any | None:
    """NVIDIA's Python binding, begun; None where its driver's library is not there or does not work."""
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # noqa: BLE001 - its library raises what it likes; then there is no counter
        return None
    return pynvml


def find(root: Path = Path("/"), nvml: Callable[[], Any | None] = load_nvml) -> Found:
    """The counters of this machine's graphics cards; `missing` names a card that has none."""
    counters: list[Counter] = []
    without: list[str] = []
    library = nvml()
    if library is not None:
        _add_nvidia(library, counters, without)
    for card in sorted((root / "sys/class/hwmon").glob("hwmon*")):
        try:
            driver = (card / "name").read_text("utf-8", "replace").strip()
            if driver in _DRIVERS and (card / "energy1_input").exists():
                read_number(card / "energy1_input")
                name = f"{driver} card {card.name.removeprefix('hwmon')}"
                counters.append(Counter(name, Part.GPU, partial(read_number, card / "energy1_input")))
            elif driver == "amdgpu":
                without.append(f"{driver} card {card.name.removeprefix('hwmon')}")
        except OSError:
            without.append(f"card {card.name.removeprefix('hwmon')}")
    missing = f"{without[0]} has no energy counter that can be read" if without else None
    return Found(tuple(counters), missing)


def _add_nvidia(nvml: Any, counters: list[Counter], without: list[str]) -> None:
    try:
        handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
    except Exception:  # noqa: BLE001 - as in `load_nvml`
        without.append("the NVIDIA card")
        return
    for number, handle in enumerate(handles):
        read = partial(_nvidia_energy, nvml, handle)
        try:
            read()
        except OSError:
            without.append(f"NVIDIA card {number}")
        else:
            counters.append(Counter(f"NVIDIA card {number}", Part.GPU, read))


def _nvidia_energy(nvml: Any, handle: Any) -> int:
    """Microjoules; `OSError` for whatever the library raises."""
    try:
        return int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) * 1000
    except Exception as error:
        raise OSError(f"NVML: {error}") from error
