"""What this machine is: CPU, memory, GPU, battery; and what follows from that by default."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil

from agent.config import MOST_SLOTS
from agent.ffmpeg.discover import Toolbox
from common.model import Hardware, NodeType
from common.schema import MAX_REASON

GIB = 1024**3
CORES_FOR_A_JOB = 4

SESSION_LIMITS = {"nvenc": 8}
"""Encodes at once that a hardware encoder takes. NVIDIA's "Video Encode and Decode GPU
Support Matrix" gives 8 for GeForce cards (drivers since 2024). Intel's, AMD's and VAAPI
document no such limit."""

_GPU_VENDORS = {"0x10de": "NVIDIA GPU", "0x1002": "AMD GPU", "0x8086": "Intel GPU"}
"""PCI ids of those that make video encoders; a virtual machine's display is none."""

_ARM_CORES = {
    "0x41": {
        "0xd03": "ARM Cortex-A53", "0xd05": "ARM Cortex-A55", "0xd08": "ARM Cortex-A72",
        "0xd0b": "ARM Cortex-A76", "0xd0c": "ARM Neoverse-N1", "0xd40": "ARM Neoverse-V1",
        "0xd41": "ARM Cortex-A78", "0xd49": "ARM Neoverse-N2", "0xd4f": "ARM Neoverse-V2",
    },
    "0xc0": {"0xac3": "Ampere-1", "0xac4": "Ampere-1a"},
}  # fmt: skip
"""`CPU implementer` and `CPU part` of arm64's /proc/cpuinfo, as util-linux's lscpu names them."""

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def node_type(has_battery: bool | None, cpu_threads: int, ram_bytes: int) -> NodeType:
    """Laptop with a battery; server with more than 16 threads and more than 32 GiB; else desktop."""
    if has_battery:
        return NodeType.LAPTOP
    if cpu_threads > 16 and ram_bytes > 32 * GIB:
        return NodeType.SERVER
    return NodeType.DESKTOP


def detect(
    toolbox: Toolbox | None, *, root: Path = Path("/"), nvidia_smi: str | None = "nvidia-smi"
) -> Hardware:
    """This machine, with `toolbox`'s encoders (None: nobody tried). Reads /proc and /sys below `root`."""
    # Those that this process may run on, which in a container can be fewer than there are.
    threads = len(os.sched_getaffinity(0))
    ram = int(psutil.virtual_memory().total)
    battery = has_battery(root)
    gpu = gpu_model(root, nvidia_smi)
    return Hardware(
        type=node_type(battery, threads, ram),
        cpu_threads=threads,
        cpu_model=cpu_model(root),
        ram_bytes=ram,
        has_gpu=gpu is not None,
        gpu_model=gpu,
        has_battery=battery,
        encoders=None if toolbox is None else toolbox.encoders,
        encoder_failures=None if toolbox is None else _failures(toolbox),
        ffmpeg_version=None if toolbox is None else toolbox.version,
    )


def _failures(toolbox: Toolbox) -> dict[str, str]:
    """Why encoders failed, each in one line. What says why a whole ffmpeg is not used is of no encoder."""
    return {
        name: " ".join(why.split())[:MAX_REASON] or "it did not say why"
        for name, why in toolbox.failed.items()
        if "/" not in name
    }


def cpu_model(root: Path = Path("/")) -> str:
    """The CPU's name: x86's `model name`; on arm64 the core's, or the board's; else the architecture."""
    fields: dict[str, str] = {}
    for line in (_read(root / "proc/cpuinfo") or "").splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    core = _ARM_CORES.get(fields.get("CPU implementer", ""), {}).get(fields.get("CPU part", ""))
    board = _read(root / "sys/firmware/devicetree/base/model")
    names = (fields.get("model name"), core, fields.get("Model"), board, fields.get("Hardware"))
    return next((name for name in names if name), platform.machine())


def has_battery(root: Path = Path("/")) -> bool | None:
    """Whether a battery drives this machine (not its mouse); None if the kernel does not tell."""
    supplies = root / "sys/class/power_supply"
    if not supplies.is_dir():
        return None
    return any(
        _read(supply / "type") == "Battery" and _read(supply / "scope") != "Device"
        for supply in supplies.iterdir()
    )


def gpu_model(root: Path = Path("/"), nvidia_smi: str | None = "nvidia-smi") -> str | None:
    """The GPUs' names: nvidia-smi's, else the makers' of the render nodes; None without any."""
    names = _nvidia_names(nvidia_smi)
    if not names:
        vendors = (
            _read(node / "device/vendor") for node in sorted((root / "sys/class/drm").glob("renderD*"))
        )
        names = [_GPU_VENDORS[vendor] for vendor in vendors if vendor in _GPU_VENDORS]
    return ", ".join(dict.fromkeys(names)) or None


def _nvidia_names(nvidia_smi: str | None) -> list[str]:
    program = shutil.which(nvidia_smi) if nvidia_smi else None
    if program is None:
        return []
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command line, no shell
            [program, "--query-gpu=name", "--format=csv,noheader"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []  # installed without its driver: there is no such GPU to use
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace").strip("\0\n ")
    except OSError:
        return None


def default_labels(hardware: Hardware) -> dict[str, str]:
    """The labels that every node carries: `arch`, `node_type`, `os`."""
    machine = platform.machine()
    labels = {"arch": _ARCHITECTURES.get(machine, machine), "os": "linux"}
    if hardware.type is not None:
        labels["node_type"] = hardware.type.value
    return labels


def default_slots(cpu_threads: int, encoders: Sequence[str]) -> tuple[int, str]:
    """How many jobs run at once, and the sentence that says by which rule.

    One for each 4 cores, at least 1, or the hardware encoder's session limit if that is lower.
    """
    slots = min(MOST_SLOTS, max(1, cpu_threads // CORES_FOR_A_JOB))
    for api, limit in SESSION_LIMITS.items():
        if limit < slots and any(encoder.endswith(f"_{api}") for encoder in encoders):
            return limit, f"{limit} jobs at once: the session limit of {api} is {limit}"
    jobs = "1 job" if slots == 1 else f"{slots} jobs"
    cores = "1 core" if cpu_threads == 1 else f"{cpu_threads} cores"
    return slots, f"{jobs} at once: one for each {CORES_FOR_A_JOB} of {cores}, at least 1"
