"""The documents name every flag of our programs, and none that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from agent.cli import main as agent
from master.cli import main as master
from master.operator.cli import main as ffrtmp
from tests.docs.markdown import ROOT

GUIDE = (ROOT / "docs/guide.md").read_text()
FLAGS = GUIDE[GUIDE.index("## All flags") :]
_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
OTHERS = {
    "--cacert": "curl",
    "--append": "usermod",
    "--groups": "usermod",
    "--now": "systemctl",
    "--lines": "wc",
    "--delete": "rsync",
    "--exclude": "rsync",
    "--pdeathsig": "setpriv",
    "--create": "systemd-tmpfiles",
    "--energy": "bench/truth.py",
    "--only": "bench/truth.py",
    "--quick": "python -m bench",
    "--into": "python -m bench",
    "--seconds": "bench/truth.py",
    "--times": "bench/estimate.py",
    "--height": "bench/split.py",
    "--bitrate": "bench/seams.py",
    "--size": "bench/seams.py",
    "--chunks": "bench/seams.py",
    "--network": "docker",
    "--gpus": "docker",
    "--scale": "docker",
    "--stop-timeout": "docker",
    "--device": "docker",
    "--security-opt": "docker",
    "--detach": "docker",
    "--volume": "docker",
    "--restart": "docker",
    "--enable-gpl": "ffmpeg's configure",
    "--enable-version": "ffmpeg's configure",
}
"""Flags of programs that are not ours, which the documents name."""


def commands(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """The command and all below it, with their names."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, (*path, name))


def flags(command: click.Command) -> set[str]:
    """The long flags of the command and all below it, but `--help` and `--version`."""
    options = (p for _, c in commands(command) for p in c.params if isinstance(p, click.Option))
    return {name for option in options for name in option.opts if name.startswith("--")} - {"--version"}


def table(program: str) -> str:
    """The guide's table of the program's flags."""
    return FLAGS.split(f"| {program} |")[1].split("\n\n")[0]


@pytest.mark.parametrize(("program", "command"), [("master", master), ("agent", agent), ("ffrtmp", ffrtmp)])
def test_the_guides_table_has_exactly_the_flags_of_the_program(program: str, command: click.Command) -> None:
    assert set(_FLAG.findall(table(program))) == flags(command)


def test_the_guides_table_has_every_command_of_ffrtmp() -> None:
    named = set(re.findall(r"`([a-z]+(?: [a-z]+)?)`", table("ffrtmp")))
    leaves = {" ".join(path) for path, each in commands(ffrtmp) if path and not isinstance(each, click.Group)}
    assert leaves <= named


@pytest.mark.parametrize("program", ["master", "agent"])
def test_the_defaults_are_those_of_the_program(program: str) -> None:
    command = {"master": master, "agent": agent}[program]
    rows = re.findall(r"^\| `(--[a-z-]+)` \| ([^|]*) \|", table(program), flags=re.MULTILINE)
    defaults = {o.opts[0]: o.default for o in command.params if isinstance(o, click.Option)}
    for flag, shown in rows:
        if isinstance(defaults[flag], str | int) and not isinstance(defaults[flag], bool):
            assert shown.strip().strip("`") == str(defaults[flag]), flag


@pytest.mark.parametrize(
    "page",
    sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]),
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_every_flag_that_a_page_names_exists(page: Path) -> None:
    ours = flags(master) | flags(agent) | flags(ffrtmp) | {"--help", "--version"}
    assert set(_FLAG.findall(page.read_text())) <= ours | OTHERS.keys()
