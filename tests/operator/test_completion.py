"""A real bash completes commands, scenarios, jobs, nodes and contexts; without a master it says nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.corner import Corner
from tests.masters import ROOT, Client
from tests.operator.conftest import Ffrtmp
from tests.parts import missing

_PROGRAM = f"""#!{sys.executable}
import sys
sys.path.insert(0, {str(ROOT)!r})
from master.operator.cli import main
main()
"""
_ASK = """
eval "$(ffrtmp completion bash)"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
declare -f _ffrtmp_completion > /dev/null || exit 9
_ffrtmp_completion ffrtmp "${COMP_WORDS[COMP_CWORD]}" ""
printf '%s\\n' "${COMPREPLY[@]}"
"""


class Bash:
    """A shell that has read what `ffrtmp completion bash` prints."""

    def __init__(self, ffrtmp: Ffrtmp, tmp_path: Path) -> None:
        if shutil.which("bash") is None:
            missing("bash")
        program = tmp_path / "bin" / "ffrtmp"
        program.parent.mkdir()
        program.write_text(_PROGRAM)
        program.chmod(0o755)
        path = f"{program.parent}:{ffrtmp.environment['PATH']}"
        self.environment = {**ffrtmp.environment, "PATH": path}

    def complete(self, *words: str, **environment: str) -> list[str]:
        """What the last of `words` may become."""
        done = subprocess.run(
            ["bash", "--norc", "-c", _ASK, "bash", "ffrtmp", *words],
            env={**self.environment, **environment},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()


@pytest.fixture
def bash(ffrtmp: Ffrtmp, tmp_path: Path) -> Bash:
    ffrtmp("scenarios")  # trusts the CA
    return Bash(ffrtmp, tmp_path)


def test_commands_and_their_values_are_completed(bash: Bash) -> None:
    assert bash.complete("jo") == ["jobs", "journal"]
    assert bash.complete("-o", "") == ["table", "json", "yaml", "csv"]


def test_what_the_master_knows_is_completed(bash: Bash, client: Client) -> None:
    assert bash.complete("jobs", "submit", "480p30-a") == ["480p30-av1"]
    corner = Corner(client)
    job_id, node = corner.submit()["id"], corner.register(address="complete-me")
    assert bash.complete("jobs", "show", job_id[:13]) == [job_id]
    assert bash.complete("nodes", "drain", "complete-") == ["complete-me"]
    assert bash.complete("nodes", "drain", node["id"][:13]) == [node["id"]]


def test_contexts_are_completed(bash: Bash, ffrtmp: Ffrtmp) -> None:
    ffrtmp("config", "set", "berlin", "--master", "https://localhost:1")
    assert bash.complete("--context", "b") == ["berlin"]
    assert bash.complete("config", "use", "") == ["berlin"]


def test_without_a_master_nothing_is_said_and_nobody_is_trusted(bash: Bash, tmp_path: Path) -> None:
    assert bash.complete("jobs", "show", "abcd", FFRTMP_MASTER="https://localhost:1") == []
    home = tmp_path / "new"
    assert bash.complete("jobs", "submit", "480p", HOME=str(home)) == []
    assert not list(home.rglob("ca.pem"))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(ffrtmp: Ffrtmp, shell: str) -> None:
    done = ffrtmp("completion", shell)
    assert (done.returncode, "_FFRTMP_COMPLETE" in done.stdout) == (0, True)
