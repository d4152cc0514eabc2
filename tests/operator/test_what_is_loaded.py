"""A command of `ffrtmp` loads what it needs: people and scripts start it again and again."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from master.operator.cli import main
from tests.masters import ROOT
from tests.operator.conftest import Ffrtmp

PROGRAM = """
import json, sys
from master.operator.cli import main
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
THE_MASTERS = {"master.store", "master.lifecycle", "master.service", "master.server", "flask", "gunicorn"}
THE_WIRE = {"requests", "urllib3", "cryptography", "OpenSSL", "common.client"}
"""What is needed to talk to a master."""
OF_SOME_COMMANDS = {
    "marshmallow",
    "cattrs",
    "rich.console",
    "yaml",
    "jinja2",
    "matplotlib",
    "numpy",
    "sqlite3",
}
"""What checks, draws or writes."""


def loaded(ffrtmp: Ffrtmp, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=ROOT, env=ffrtmp.environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("arguments", ["--help", "--version", "completion bash"])
def test_what_asks_no_master_does_not_load_what_talks_to_one(ffrtmp: Ffrtmp, arguments: str) -> None:
    assert loaded(ffrtmp, *arguments.split()) & (THE_MASTERS | THE_WIRE | OF_SOME_COMMANDS) == set()


@pytest.mark.parametrize(
    "arguments", ["jobs list", "-o json jobs list", "jobs submit 480p30-h264", "nodes list", "tokens list"]
)
def test_what_asks_or_tells_a_master_loads_nothing_of_it_and_nothing_that_draws(
    ffrtmp: Ffrtmp, arguments: str
) -> None:
    found = loaded(ffrtmp, *arguments.split())
    assert found & (THE_MASTERS | OF_SOME_COMMANDS) == set()
    assert found >= THE_WIRE


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert main._later[name].says == command.get_short_help_str(1000)
