"""Prometheus' own tools, to check what we give it with."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.masters import ROOT
from tests.parts import missing


def tool(name: str) -> Path:
    """`promtool` or `prometheus`: of the system, or as scripts/setup.sh unpacked it."""
    unpacked = ROOT / "build/prometheus/usr/bin" / name
    if unpacked.exists():
        return unpacked
    found = shutil.which(name)
    return (
        Path(found)
        if found is not None
        else missing(f"there is no {name} (scripts/setup.sh --tests brings it)")
    )


def promtool(*arguments: str, stdin: str | None = None) -> str:
    """What it says; it must have no complaint, of which lint is one."""
    done = subprocess.run(
        [tool("promtool"), *arguments], input=stdin, capture_output=True, text=True, timeout=60, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said
