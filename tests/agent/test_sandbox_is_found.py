"""What protects a machine is found by trying it; what is missing is said, with what to do about it."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest

from agent.ffmpeg.discover import Toolbox, _trial, discover
from agent.ffmpeg.spawner import Spawner
from agent.sandbox import Sandbox, SandboxError, detect
from tests.agent.caged import python
from tests.parts import missing

NO_NAMESPACES = """\
#!/bin/sh
echo "bwrap: No permissions to create a new namespace" >&2
exit 1
"""
WITHOUT = """\
#!/bin/sh
case " $* " in *" {option} "*) echo "bwrap: cannot" >&2; exit 1 ;; esac
exec {real} "$@"
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on PATH, which has what any program needs but neither bwrap nor unshare."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in ("true", "setpriv"):
        (folder / program).symlink_to(str(shutil.which(program)))
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(path: Path, name: str, text: str) -> None:
    (path / name).write_text(text)
    (path / name).chmod(0o755)


def test_a_machine_where_it_works_has_it(spawner: Spawner, sandbox: Sandbox) -> None:
    assert detect(spawner) == sandbox
    assert sandbox.is_whole
    assert sandbox.describe() == (
        "ffmpeg runs in a sandbox: no network, no files but its own, limits of memory, CPU time and file size"
    )


@pytest.mark.usefixtures("path")
def test_without_bwrap_it_is_said_how_to_get_it(spawner: Spawner) -> None:
    found = detect(spawner)
    assert not found.is_whole
    assert found.wrap(["true"], Path("/tmp")) == ["true"]
    assert found.describe() == (
        "ffmpeg runs with limits of memory, CPU time and file size, but can reach the network "
        "and read files: bwrap was not found; install the package bubblewrap"
    )


def test_a_bwrap_that_may_not_work_is_said_to_fail(spawner: Spawner, path: Path) -> None:
    install(path, "bwrap", NO_NAMESPACES)
    assert "bwrap does not work here" in detect(spawner).describe()
    assert "No permissions to create a new namespace" in detect(spawner).describe()


@pytest.mark.parametrize(
    ("option", "others"),
    [
        pytest.param("--disable-userns", ("--proc", "/proc"), id="as bubblewrap before 0.8"),
        pytest.param("--proc", ("--disable-userns",), id="as in some containers"),
    ],
)
def test_what_cannot_be_done_here_is_done_without(
    spawner: Spawner,
    sandbox: Sandbox,
    toolbox: Toolbox,
    path: Path,
    tmp_path: Path,
    option: str,
    others: tuple[str, ...],
) -> None:
    if not set(others) <= set(sandbox.options):
        missing("this machine cannot do the other thing either")
    install(path, "bwrap", WITHOUT.format(real=sandbox.bwrap, option=option))
    found = detect(spawner)
    assert found == Sandbox(path / "bwrap", others)
    ffmpeg = toolbox.chosen["libx264"]
    ended = _trial(spawner, found, ffmpeg, tmp_path, "libx264")
    assert isinstance(ended, float), ended


def test_without_bwrap_the_network_at_least_is_cut_off(spawner: Spawner, path: Path, tmp_path: Path) -> None:
    unshare = shutil.which("unshare", path=os.defpath)
    if unshare is None:
        missing("unshare is not installed")
    (path / "unshare").symlink_to(unshare)
    found = detect(spawner)
    if found.unshare is None:
        missing("this machine lets nobody make namespaces")
    assert "ffmpeg runs without network" in found.describe()
    with socket.create_server(("127.0.0.1", 0)) as server:
        body = f"socket.create_connection({server.getsockname()}, timeout=5)"
        assert python(spawner, Sandbox(), tmp_path, body).returncode == 0
        assert "Network is unreachable" in python(spawner, found, tmp_path, body).log[-1]
    assert python(spawner, found, tmp_path, "open('made', 'w'); os.kill(os.getpid(), 9)").signal == 9
    assert (tmp_path / "made").exists()


@pytest.mark.usefixtures("path")
def test_one_that_is_required_and_missing_is_an_error(spawner: Spawner) -> None:
    with pytest.raises(SandboxError, match="--sandbox required: bwrap was not found; install the package"):
        detect(spawner, "required")


def test_one_that_is_switched_off_is_not_used(spawner: Spawner) -> None:
    found = detect(spawner, "off")
    assert (found.bwrap, found.unshare) == (None, None)
    assert found.describe().endswith("--sandbox off was given")


def test_the_same_encoders_work_in_it(spawner: Spawner, sandbox: Sandbox, toolbox: Toolbox) -> None:
    assert discover(spawner, sandbox=sandbox).encoders == toolbox.encoders
