"""`make setup` names what the system lacks, installs it for root, and tells others the one command."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = ("sh", "cat", "cksum", "dirname", "grep", "id", "ln", "mktemp", "rm", "sed", "tail", "uname")
PYTHON = getattr(sys, "_base_executable", sys.executable)


class Machine:
    """A PATH of our own making, on which things can be missing."""

    def __init__(self, checkout: Path, bin_dir: Path) -> None:
        self.checkout = checkout
        self.bin = bin_dir
        bin_dir.mkdir()
        for tool in TOOLS:
            (bin_dir / tool).symlink_to(str(shutil.which(tool)))
        for name in ("jq", "curl", "bwrap"):
            self.command(name, "exit 0")
        self.command("python3", f'exec "{PYTHON}" "$@"')
        self.command("apt-get", "exit 0")
        self.command("apt-cache", "exit 1")
        self.user("1000")

    def command(self, name: str, script: str) -> None:
        self.without(name)
        (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(0o755)

    def without(self, name: str) -> None:
        (self.bin / name).unlink(missing_ok=True)

    def user(self, uid: str) -> None:
        self.command("id", f"echo {uid}")

    def check(self) -> subprocess.CompletedProcess[str]:
        command = ["/bin/sh", "scripts/setup.sh", "--check"]
        env = {"PATH": str(self.bin)}
        return subprocess.run(
            command, cwd=self.checkout, env=env, capture_output=True, encoding="utf-8", check=False
        )


@pytest.fixture
def machine(checkout: Path, tmp_path: Path) -> Machine:
    return Machine(checkout, tmp_path / "bin")


def test_a_machine_that_has_everything_passes(machine: Machine) -> None:
    found = machine.check()
    assert found.returncode == 0, found.stderr
    assert found.stdout == ""


@pytest.mark.parametrize(
    ("system", "processor", "code"),
    [("Linux", "x86_64", 0), ("Linux", "aarch64", 0), ("Linux", "riscv64", 1), ("Darwin", "arm64", 1)],
)
def test_only_linux_on_x86_64_and_arm64_is_supported(
    machine: Machine, system: str, processor: str, code: int
) -> None:
    machine.command("uname", f"case $1 in -s) echo {system};; *) echo {processor};; esac")
    found = machine.check()
    assert found.returncode == code
    assert code == 0 or "Supported: Linux on x86-64 and arm64" in found.stderr


def test_without_root_the_one_command_to_type_is_printed(machine: Machine) -> None:
    machine.without("jq")
    machine.without("curl")
    found = machine.check()
    assert found.returncode == 1
    assert found.stderr.splitlines()[-1].strip() == "sudo apt-get install -y jq curl"


def test_root_gets_what_is_missing_installed_without_a_question(machine: Machine) -> None:
    machine.without("jq")
    machine.user("0")
    calls = machine.checkout / "calls"
    machine.command(
        "apt-get",
        f'echo "$DEBIAN_FRONTEND $*" >>{calls}; [ "$1" = update ] || ln -s /bin/true {machine.bin}/jq',
    )
    found = machine.check()
    assert found.returncode == 0, found.stderr
    assert calls.read_text().splitlines() == [
        "noninteractive update",
        "noninteractive install -y --no-install-recommends jq",
    ]


def test_when_apt_get_fails_its_message_is_shown(machine: Machine) -> None:
    machine.without("jq")
    machine.user("0")
    machine.command("apt-get", 'echo "E: No space left on device"; exit 100')
    found = machine.check()
    assert found.returncode == 1
    assert "E: No space left on device" in found.stderr
    assert "could not install: jq" in found.stderr


def test_a_system_without_apt_get_is_told_the_names(machine: Machine) -> None:
    machine.without("curl")
    machine.without("apt-get")
    found = machine.check()
    assert found.returncode == 1
    assert "Missing on this system (Debian's names): curl" in found.stderr


def test_a_python_without_venv_names_the_package_of_its_version(machine: Machine) -> None:
    machine.command("python3", f'case $2 in *ensurepip*) exit 1;; esac\nexec "{PYTHON}" "$@"')
    found = machine.check()
    major, minor = sys.version_info[:2]
    assert found.returncode == 1
    assert f"sudo apt-get install -y python{major}.{minor}-venv" in found.stderr


def test_an_old_python3_gives_way_to_the_newest_that_is_new_enough(machine: Machine) -> None:
    machine.command("python3", "exit 1")
    machine.command("python3.11", f'exec "{PYTHON}" "$@"')
    machine.command("python3.12", f'exec "{PYTHON}" "$@"')
    found = machine.check()
    assert found.returncode == 0, found.stderr
    assert f"({machine.bin}/python3.12)" in found.stderr


def test_no_python_at_all_is_a_missing_package_too(machine: Machine) -> None:
    machine.without("python3")
    found = machine.check()
    assert found.returncode == 1
    assert found.stderr.splitlines()[-1].strip() == "sudo apt-get install -y python3 python3-venv"


def test_where_debians_python3_is_too_old_a_newer_package_is_named(machine: Machine) -> None:
    machine.command("python3", "exit 1")
    machine.command(
        "apt-cache",
        'case "$*" in *"python3") echo "Version: 3.10.6-1~22.04";; *python3.11-venv) ;; *) exit 100;; esac',
    )
    found = machine.check()
    assert found.stderr.splitlines()[-1].strip() == "sudo apt-get install -y python3.11 python3.11-venv"


def test_root_gets_what_the_tests_inject_faults_with_and_others_are_not_bothered(machine: Machine) -> None:
    machine.command("apt-get", 'echo "$@" >>"$0.log"')
    browsers = ("chromium", "chromium-headless-shell")
    for name in ("strace", "zsh", "fish", "mkfs.ext4", "ip", *browsers, "nginx", "npm", "pg_ctlcluster"):
        machine.command(name, "exit 0")
    machine.without("strace")

    def installed() -> str:
        command = ["/bin/sh", "scripts/setup.sh", "--tests"]
        done = subprocess.run(
            command, cwd=machine.checkout, env={"PATH": str(machine.bin)}, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        log = machine.bin / "apt-get.log"
        return log.read_text() if log.exists() else ""

    assert installed() == ""
    machine.user("0")
    assert "install -y --no-install-recommends strace\n" in installed()


def test_root_gets_what_the_benchmark_compares_with_and_others_are_told_of_it(
    machine: Machine, tmp_path: Path
) -> None:
    policy = tmp_path / "policy-rc.d"
    machine.command("chmod", 'exec /bin/chmod "$@"')
    machine.command(
        "apt-get", f'if [ -x {policy} ]; then echo "no service: $@"; else echo "$@"; fi >>"$0.log"'
    )
    machine.without("redis-server")

    def said() -> str:
        command = ["/bin/sh", "scripts/setup.sh", "--bench"]
        found = {"PATH": str(machine.bin), "POLICY_RC_D": str(policy)}
        done = subprocess.run(
            command, cwd=machine.checkout, env=found, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    log = machine.bin / "apt-get.log"
    assert "sudo apt-get install -y redis-server" in said()
    assert not log.exists()
    machine.user("0")
    said()
    assert "no service: install -y --no-install-recommends redis-server\n" in log.read_text()
    assert not policy.exists()
    machine.command("redis-server", "exit 0")
    log.unlink()
    assert said() == ""
    assert not log.exists()


def test_a_machine_without_bubblewrap_passes_with_an_advice(machine: Machine) -> None:
    machine.without("bwrap")
    found = machine.check()
    assert found.returncode == 0, found.stderr
    assert "(sudo apt-get install -y bubblewrap). All works without." in found.stderr


def test_root_gets_bubblewrap_installed_and_goes_on_where_that_fails(machine: Machine) -> None:
    machine.without("bwrap")
    machine.user("0")
    machine.command("apt-get", f'[ "$1" = update ] || ln -s /bin/true {machine.bin}/bwrap')
    found = machine.check()
    assert found.returncode == 0
    assert "Installing Debian packages for the sandbox of ffmpeg: bubblewrap" in found.stderr
    assert "Advice" not in found.stderr

    machine.without("bwrap")
    machine.command("apt-get", "exit 100")
    found = machine.check()
    assert found.returncode == 0
    assert "Advice" in found.stderr
