"""systemd accepts both units as they are, and they confine and stop the services as promised."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.parts import missing

from .conftest import ROOT

UNITS = {"ffmpeg-master": "master", "ffmpeg-agent": "agent"}


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as they will lie on a machine where the binaries are installed (here: below tmp)."""
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze is not installed")
    home = tmp_path / "opt"
    (home / "bin").mkdir(parents=True)
    for unit, binary in UNITS.items():
        (home / "bin" / binary).write_text("#!/bin/sh\n")
        (home / "bin" / binary).chmod(0o755)
        text = (ROOT / "systemd" / f"{unit}.service").read_text()
        assert f"ExecStart=/opt/ffmpeg-rtmp/bin/{binary}" in text
        (tmp_path / f"{unit}.service").write_text(text.replace("/opt/ffmpeg-rtmp", str(home)))
    return tmp_path


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def service(unit: str) -> dict[str, list[str]]:
    """The [Service] settings; systemd lets a key occur more than once."""
    settings: dict[str, list[str]] = {}
    section = ""
    for line in (ROOT / "systemd" / f"{unit}.service").read_text().splitlines():
        if line.startswith("["):
            section = line
        elif "=" in line and not line.startswith("#") and section == "[Service]":
            key, value = line.split("=", 1)
            settings.setdefault(key, []).append(value)
    return settings


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_nothing_wrong_with_the_unit(units: Path, unit: str) -> None:
    verified = analyze("verify", "--man=no", units / f"{unit}.service")
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


@pytest.mark.parametrize("unit", UNITS)
def test_the_service_is_exposed_little(units: Path, unit: str) -> None:
    # The threshold is in tenths. The agent needs devices, and namespaces for the sandbox of ffmpeg.
    most = {"ffmpeg-master": 18, "ffmpeg-agent": 30}[unit]
    judged = analyze(
        "security", "--offline=true", f"--threshold={most}", "--no-pager", units / f"{unit}.service"
    )
    if "unrecognized option" in judged.stderr:
        pytest.skip("this systemd-analyze cannot judge a file offline")
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_the_agent_gets_longer_to_stop_than_its_drain_takes() -> None:
    assert service("ffmpeg-agent")["TimeoutStopSec"] == ["7min"]
    assert service("ffmpeg-agent")["KillMode"] == ["mixed"]


def test_the_agents_ffmpeg_cannot_pass_for_an_operator_of_the_master() -> None:
    agent = service("ffmpeg-agent")
    assert agent["User"] == agent["Group"] == ["ffrtmp-agent"]
    assert "SupplementaryGroups" not in agent
    assert service("ffmpeg-master")["Group"] == ["ffrtmp"]


def test_the_agent_can_make_the_sandbox_of_ffmpeg() -> None:
    agent = service("ffmpeg-agent")
    assert set(agent["RestrictNamespaces"][0].split()) == {
        "user",
        "mnt",
        "pid",
        "net",
        "ipc",
        "uts",
        "cgroup",
    }
    assert "@mount" in agent["SystemCallFilter"][0].split()
    # Makes /proc/sys read-only, where bwrap forbids namespaces within namespaces.
    assert "ProtectKernelTunables" not in agent


def test_the_master_can_see_which_user_a_local_connection_belongs_to() -> None:
    master = service("ffmpeg-master")
    assert not {"ProcSubset", "PrivateUsers", "PrivateNetwork"} & master.keys()


@pytest.mark.parametrize("name", [*UNITS.values(), "agent-token"])
def test_the_settings_file_is_one_that_systemd_reads(name: str) -> None:
    lines = (ROOT / "systemd" / f"{name}.env").read_text().splitlines()
    settings = [line for line in lines if "=" in line]
    assert settings
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[method-assign,assignment] # names are in capitals
    parser.read_string("[env]\n" + "\n".join(line.removeprefix("#") for line in settings))
    assert all(key.startswith("FFRTMP_") for key in parser["env"])
