"""When packages cannot be had, setup shows pip's own message and does not count as done."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def test_without_a_package_index_setup_shows_what_pip_said_and_is_not_done(checkout: Path) -> None:
    env = os.environ | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
    command = ["/bin/sh", "scripts/setup.sh"]
    failed = subprocess.run(
        command, cwd=checkout, env=env, capture_output=True, encoding="utf-8", check=False
    )
    assert failed.returncode == 1
    assert "ERROR: " in failed.stderr
    assert "setuptools" in failed.stderr
    assert "run make again" in failed.stderr
    assert not (checkout / ".venv" / "setup-stamp").exists()
