"""A place to publish to, on the work directory's file system and on another one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import missing


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A directory on another file system than `tmp_path`."""
    if not Path("/dev/shm").is_dir() or Path("/dev/shm").stat().st_dev == tmp_path.stat().st_dev:
        missing("a second file system at /dev/shm")
    path = Path(tempfile.mkdtemp(dir="/dev/shm", prefix="ffrtmp-test-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@pytest.fixture(params=["same file system", "another file system"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An output root."""
    if request.param == "another file system":
        other: Path = request.getfixturevalue("elsewhere")
        return other
    path = tmp_path / "finished"
    path.mkdir()
    return path
