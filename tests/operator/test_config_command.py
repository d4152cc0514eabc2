"""`ffrtmp config`: masters get names, and the one that is meant is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.masters import Master, start_master
from tests.operator.conftest import Ffrtmp


@pytest.fixture
def typed(master: Master, tmp_path: Path) -> Ffrtmp:
    """The command of somebody who has named no master in the environment."""
    command = Ffrtmp(master.url, tmp_path)
    del command.environment["FFRTMP_MASTER"]
    return command


def test_a_context_is_set_used_shown_and_forgotten(master: Master, typed: Ffrtmp, tmp_path: Path) -> None:
    assert typed("config", "set", "here", "--master", master.url).stdout == "Context here is kept.\n"
    assert "config use away" in typed("config", "set", "away", "--master", "https://localhost:1").stdout
    assert typed("scenarios").returncode == 0
    assert typed("--context", "away", "scenarios").returncode == 3
    assert typed("scenarios", FFRTMP_CONTEXT="away").returncode == 3
    assert typed("--context", "here", "scenarios", FFRTMP_CONTEXT="away").returncode == 0
    assert typed("config", "use", "away").stdout == "From now on: away, https://localhost:1.\n"
    listed = typed.json("config", "contexts")
    assert [(each["name"], each["current"]) for each in listed] == [("here", False), ("away", True)]
    assert f"master: {master.url}  (context here)" in typed("--context", "here", "config", "show").stdout
    assert typed("config", "unset", "away").stdout == "Context away is forgotten.\n"
    assert typed("config", "contexts", "-q").stdout == "here\n"
    assert Path(typed("config", "path").stdout.strip()).is_relative_to(tmp_path)


def test_the_token_of_a_context_opens_its_master_and_is_never_printed(typed: Ffrtmp, tmp_path: Path) -> None:
    master = start_master(tmp_path / "state", auth="required")
    try:
        token = master.state_dir / "operator.token"
        typed("config", "set", "strict", "--master", master.url, "--token-file", str(token))
        assert typed("nodes", "list").returncode == 0
        said = [typed("config", "show"), typed("config", "contexts"), typed("-o", "json", "config", "show")]
        assert all(token.read_text().strip() not in each.stdout + each.stderr for each in said)
        assert typed("config", "unset", "strict", "token_file").returncode == 0
        assert typed("nodes", "list").returncode == 4
    finally:
        master.stop()


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("config", "use", "nobody"), 5, "there is no context 'nobody'; there are: none"),
        (("config", "unset", "nobody"), 5, "there is no context 'nobody'"),
        (("config", "set", "new"), 2, "say which master it is with --master"),
        (("config", "set", "new", "--master", "ftp://x"), 2, "'ftp://x' is no master"),
        (("config", "set", "", "--master", "https://x"), 2, "is a variable unset?"),
        (("--context", "nobody", "scenarios"), 2, "there is no context 'nobody'"),
    ],
)
def test_what_cannot_be_is_one_clear_line(
    typed: Ffrtmp, arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    done = typed(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert complaint in done.stderr.splitlines()[-1]


def test_a_damaged_file_ends_each_command_with_its_line_and_can_still_be_found(typed: Ffrtmp) -> None:
    file = Path(typed("config", "path").stdout.strip())
    file.parent.mkdir(parents=True)
    file.write_text("contexts:\n  a:\n    master: x\n    usr: me\n")
    for command in ("scenarios", "contexts"):
        done = typed(*(["config"] if command == "contexts" else []), command)
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1].startswith(f"Error: {file}:4: context 'a' has no 'usr'")
    assert typed("config", "path").returncode == 0
