"""A real zsh and a real fish complete commands and what the master knows, as people have set them up."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.api.corner import Corner
from tests.masters import Client
from tests.operator.conftest import Ffrtmp
from tests.operator.test_completion import Bash as Shell
from tests.parts import missing
from tests.terminal import Terminal

_ZSH = """
PROMPT='ready> '
unsetopt beep
autoload -Uz compinit
compinit -u -d {home}/dump
eval "$(ffrtmp completion zsh)"
"""


@pytest.fixture
def shell(ffrtmp: Ffrtmp, tmp_path: Path) -> Shell:
    """Where `ffrtmp` is a command, and trusts the master."""
    ffrtmp("scenarios")
    return Shell(ffrtmp, tmp_path)


@contextmanager
def zsh(shell: Shell, home: Path) -> Iterator[Terminal]:
    """One that has read a `.zshrc` with our line in it, and waits for somebody to type."""
    program = shutil.which("zsh") or missing("zsh")
    (home / ".zshrc").write_text(_ZSH.format(home=home))
    environment = {**shell.environment, "HOME": str(home), "ZDOTDIR": str(home)}
    terminal = Terminal([program, "-d", "-i"], environment, columns=120)
    try:
        terminal.shows("ready>")
        yield terminal
    finally:
        terminal.close()


def fish(shell: Shell, line: str, **environment: str) -> list[str]:
    """What a fish that has read our script would offer at the end of `line`."""
    program = shutil.which("fish") or missing("fish")
    done = subprocess.run(
        [program, "--no-config", "-c", f"ffrtmp completion fish | source; complete -C '{line}'"],
        env={**shell.environment, **environment},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return [each.split("\t")[0] for each in done.stdout.splitlines()]


def test_zsh_completes_commands_scenarios_jobs_and_nodes(
    shell: Shell, tmp_path: Path, client: Client
) -> None:
    corner = Corner(client)
    job_id = corner.submit()["id"]
    corner.register(address="complete-me-in-zsh")
    with zsh(shell, tmp_path) as terminal:
        for typed, whole in (
            ("jobs canc", "jobs cancel"),
            ("jobs submit 480p30-a", "jobs submit 480p30-av1"),
            (f"jobs show {job_id[:13]}", f"jobs show {job_id}"),
            ("nodes drain complete-me-in-z", "nodes drain complete-me-in-zsh"),
        ):
            terminal.press(f"ffrtmp {typed}\t")
            terminal.shows(f"ready> ffrtmp {whole}")
            terminal.press("\x15")  # takes the line back


def test_zsh_says_what_jobs_are_beside_their_ids(shell: Shell, tmp_path: Path, client: Client) -> None:
    corner = Corner(client)
    ids = sorted(corner.submit(scenario="720p-h264")["id"] for _ in range(3))
    with zsh(shell, tmp_path) as terminal:
        terminal.press("ffrtmp jobs show \t\t")
        assert "720p-h264 pending" in terminal.shows(ids[0])


def test_fish_completes_commands_scenarios_jobs_and_nodes(shell: Shell, client: Client) -> None:
    corner = Corner(client)
    job_id = corner.submit()["id"]
    corner.register(address="complete-me-in-fish")
    assert fish(shell, "ffrtmp jo") == ["jobs", "journal"]
    assert fish(shell, "ffrtmp jobs canc") == ["cancel"]
    assert fish(shell, "ffrtmp -o ") == ["csv", "json", "table", "yaml"]
    assert fish(shell, "ffrtmp jobs submit 480p30-a") == ["480p30-av1"]
    assert fish(shell, f"ffrtmp jobs show {job_id[:13]}") == [job_id]
    assert fish(shell, "ffrtmp nodes drain complete-me-in-f") == ["complete-me-in-fish"]


def test_fish_offers_nothing_and_says_nothing_without_a_master(shell: Shell) -> None:
    assert fish(shell, "ffrtmp jobs show abcd", FFRTMP_MASTER="https://localhost:1") == []
