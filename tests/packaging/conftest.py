"""A copy of the checkout to build and set up in, so that no test changes the real one."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.once import made_once
from tests.parts import missing

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("agent", "common", "master")


def copy_checkout(target: Path) -> Path:
    """What packaging reads: our packages, the scripts and the files at the top."""
    ignore = shutil.ignore_patterns("__pycache__", ".*")
    for name in (*PACKAGES, "deploy", "scripts", "systemd"):
        shutil.copytree(ROOT / name, target / name, ignore=ignore)
    for name in (
        "setup.cfg",
        "setup.py",
        "constraints.txt",
        "Makefile",
        "LICENSE",
        "NOTICE.md",
        ".dockerignore",
    ):
        shutil.copy2(ROOT / name, target / name)
    return target


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return copy_checkout(tmp_path / "checkout")


@dataclass(frozen=True)
class Built:
    checkout: Path
    output: str

    def build(self) -> str:
        """What another build prints."""
        return run_build(self.checkout)


def run_build(checkout: Path) -> str:
    command = [sys.executable, "scripts/build.py"]
    return subprocess.run(command, cwd=checkout, capture_output=True, check=True, encoding="utf-8").stdout


def built_in(checkout: Path, factory: pytest.TempPathFactory) -> str:
    """Leave binaries in a checkout, as a build does there; what that printed.

    Of the same sources they are the same anywhere, and are built once in a run.
    """
    if importlib.util.find_spec("pex") is None:
        missing("pex is not installed (make setup does it)")
    first = made_once(factory, "binaries", _build)
    shutil.copytree(first / "bin", checkout / "bin")
    (checkout / "build").mkdir(exist_ok=True)
    for stamp in (first / "build").glob("*.digest"):
        shutil.copy2(stamp, checkout / "build")
    return (first / "printed").read_text(encoding="utf-8")


def unpacked(factory: pytest.TempPathFactory) -> Path:
    """A home in whose cache binaries unpack themselves: once in a run, for all who only want to run them."""
    return made_once(factory, "unpacked", Path.mkdir)


def _build(place: Path) -> None:
    printed = run_build(copy_checkout(place))
    (place / "printed").write_text(printed, encoding="utf-8")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    checkout = copy_checkout(tmp_path_factory.mktemp("built") / "checkout")
    return Built(checkout, built_in(checkout, tmp_path_factory))
