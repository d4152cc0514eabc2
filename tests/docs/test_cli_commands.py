"""docs/cli.md has every command of `ffrtmp` with its arguments and flags, and none that does not exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from master.operator.cli import main as ffrtmp
from tests.docs.markdown import ROOT
from tests.docs.test_flags import commands

PAGE = (ROOT / "docs/cli.md").read_text()
SECTION = PAGE.split("\n## Commands\n")[1].split("\n## ")[0]
LEAVES = {
    " ".join(path): each for path, each in commands(ffrtmp) if path and not isinstance(each, click.Group)
}
_EVERYWHERE = {"_form", "_quiet"}
"""`-o` and `-q`, which each command takes; the section says so above its table."""
_LINE = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S+ )*ffrtmp (.*)$", re.MULTILINE)


def own_options(command: click.Command) -> list[click.Option]:
    return [p for p in command.params if isinstance(p, click.Option) and p.name not in _EVERYWHERE]


def typed(path: str, command: click.Command) -> str:
    """How its usage has it: the command and its arguments."""
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    return " ".join([path, *(each.make_metavar(click.Context(command)) for each in arguments)])


def row(path: str, command: click.Command) -> str:
    """Its line of the table, from what `--help` says."""
    flags = [next(n for n in each.opts if n.startswith("--")) for each in own_options(command)]
    usage = typed(path, command).replace("|", "\\|")
    listed = ", ".join(f"`{flag}`" for flag in flags)
    return f"| `{usage}` | {command.get_short_help_str(200)} | {listed} |"


def test_the_table_is_what_help_says_of_every_command() -> None:
    rows = [line for line in SECTION.splitlines() if line.startswith("| `")]
    assert rows == [row(path, command) for path, command in LEAVES.items()]


def invocations(page: Path) -> list[str]:
    """What follows `ffrtmp` in the blocks of commands of a page."""
    blocks = re.findall(r"```(?:bash|sh|console)?\n(.*?)```", page.read_text(), flags=re.DOTALL)
    joined = [block.replace("\\\n", " ") for block in blocks]
    return [found.strip() for block in joined for found in _LINE.findall(block)]


PAGES = [page for page in sorted((ROOT / "docs").glob("*.md")) if invocations(page)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_types_exists_with_its_flags(page: Path) -> None:
    for line in invocations(page):
        words = shlex.split(line.partition("|")[0].partition(" > ")[0], comments=True)
        command, known = found_in(ffrtmp, words)
        flags = [word.partition("=")[0] for word in words if re.match(r"-{1,2}[A-Za-z]", word)]
        assert not isinstance(command, click.Group) or flags == ["--help"], line
        assert set(flags) <= known | {"--help"}, line


def found_in(group: click.Command, words: list[str]) -> tuple[click.Command, set[str]]:
    """The command that `words` call, and the flags that may stand on its line."""
    command, known = group, {name for p in group.params for name in p.opts}
    for word in words:
        if isinstance(command, click.Group) and word in command.commands:
            command = command.commands[word]
            known |= {name for p in command.params for name in p.opts}
    return command, known
