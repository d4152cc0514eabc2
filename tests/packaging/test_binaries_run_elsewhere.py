"""A built binary is one file that runs in an empty place with an empty environment."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT, Built, unpacked

# The one Python that the binaries were built for, and the system's commands.
PATH = f"{Path(getattr(sys, '_base_executable', sys.executable)).parent}:/usr/bin:/bin"


@pytest.fixture(scope="module")
def elsewhere(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("elsewhere")
    for name in ("master", "agent", "ffrtmp"):
        shutil.copy2(built.checkout / "bin" / name, directory / name)
    (directory / "home").symlink_to(unpacked(tmp_path_factory))
    return directory


def run(binary: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": PATH, "HOME": str(binary.parent / "home"), **environment}
    return subprocess.run(
        [binary, *arguments],
        cwd=binary.parent,
        env={name: value for name, value in env.items() if value},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def python_of(binary: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code with exactly the modules that the binary contains."""
    return run(binary, "-c", code, PEX_INTERPRETER="1", **environment)


@pytest.mark.parametrize("name", ["master", "agent", "ffrtmp"])
def test_each_binary_shows_its_help(elsewhere: Path, name: str) -> None:
    shown = run(elsewhere / name, "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Usage" in shown.stdout


def test_the_agent_brings_an_ffmpeg_that_runs(elsewhere: Path) -> None:
    code = """
import subprocess, av, imageio_ffmpeg
subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-version"], check=True)
"""
    ran = python_of(elsewhere / "agent", code)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("ffmpeg version")


@pytest.mark.parametrize("name", ["master", "ffrtmp"])
def test_what_runs_no_ffmpeg_does_not_carry_it(elsewhere: Path, name: str) -> None:
    code = "import importlib.util as u; print(u.find_spec('av'), u.find_spec('imageio_ffmpeg'))"
    assert python_of(elsewhere / name, code).stdout == "None None\n"
    assert (elsewhere / name).stat().st_size < 30_000_000


def test_the_master_brings_the_page_that_describes_its_api(elsewhere: Path) -> None:
    code = "from master.api.docs import ASSETS, PAGE; print([p.is_file() for p in (PAGE, *ASSETS.values())])"
    ran = python_of(elsewhere / "master", code)
    assert ran.stdout == f"{[True] * 6}\n", ran.stderr


def test_a_child_started_by_module_name_finds_our_packages(elsewhere: Path) -> None:
    code = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import master, flask'], check=True)"
    )
    ran = python_of(elsewhere / "master", code)
    assert ran.returncode == 0, ran.stderr


def test_it_unpacks_itself_in_the_users_cache_and_nowhere_else(elsewhere: Path, tmp_path: Path) -> None:
    ran = python_of(elsewhere / "ffrtmp", "import click", HOME=str(tmp_path), TMPDIR=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert {path.name for path in tmp_path.iterdir()} == {".cache"}
    assert [path.name for path in (tmp_path / ".cache").iterdir()] == ["ffmpeg-rtmp"]


def test_a_home_that_cannot_be_written_is_replaced_by_one_directory_in_tmp(
    elsewhere: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        ran = python_of(elsewhere / "ffrtmp", "import click", HOME="/dev/null", TMPDIR=str(tmp_path))
        assert (ran.returncode, ran.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == [f"ffmpeg-rtmp-pex-{os.getuid()}"]


def test_a_directory_in_tmp_that_others_can_write_is_not_used(elsewhere: Path, tmp_path: Path) -> None:
    prepared = tmp_path / f"ffmpeg-rtmp-pex-{os.getuid()}"
    prepared.mkdir()
    prepared.chmod(0o777)
    ran = python_of(elsewhere / "ffrtmp", "import click", HOME="/dev/null", TMPDIR=str(tmp_path))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert list(prepared.iterdir()) == []


@pytest.mark.parametrize(
    ("machine", "python", "said"),
    [
        ("sparc", sys.version_info[:2], "built for Linux on sparc"),
        (platform.machine(), (3, 5), "built for Python 3.5"),
    ],
)
def test_a_machine_it_was_not_built_for_is_told_in_a_sentence(
    machine: str, python: tuple[int, int], said: str
) -> None:
    code = f"from pex_preamble import prepare; prepare({machine!r}, {tuple(python)!r})"
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, cwd=ROOT / "scripts", capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert said in told.stderr
    assert "make build-distributed" in told.stderr
    assert "Traceback" not in told.stderr
