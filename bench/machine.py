"""The machine that something was measured on, in one line."""

from __future__ import annotations

import os
import platform
import ssl
from functools import cache
from importlib.metadata import version
from pathlib import Path

import psutil


def processor(cpuinfo: str) -> str:
    """Its name, from the text of /proc/cpuinfo; of arm64, which has none there, the architecture."""
    for line in cpuinfo.splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.machine()


def disk_of(path: Path, mounts: str) -> str:
    """The file system that `path` is on, from the text of /proc/mounts."""
    fields = [line.split() for line in mounts.splitlines()]
    on = [each for each in fields if len(each) > 2 and path.resolve().is_relative_to(each[1])]
    return max(on, key=lambda each: len(each[1]))[2] if on else "unknown"


@cache
def described() -> str:
    """Processor, cores, memory, kernel, and the versions that matter."""
    cores = len(os.sched_getaffinity(0))
    memory = psutil.virtual_memory().total / 2**30
    disk = disk_of(Path(os.environ.get("TMPDIR", "/tmp")), Path("/proc/mounts").read_text())  # noqa: S108 - it is only looked at
    parts = (
        processor(Path("/proc/cpuinfo").read_text()),
        f"{cores} cores",
        f"{memory:.0f} GiB",
        f"temporary files on {disk}",
        f"Linux {platform.release()}",
        f"Python {platform.python_version()}",
        f"gunicorn {version('gunicorn')}",
        ssl.OPENSSL_VERSION.rsplit(" ", 3)[0],
    )
    return ", ".join(parts)
