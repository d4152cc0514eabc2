"""A real master, and what a person would type."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from master.operator.cli import main
from tests.forked import program, run_forked
from tests.masters import ROOT, Master, start_master

_PROGRAM = "from master.operator.cli import main; main()"


class Ffrtmp:
    """Runs `ffrtmp` in a home of its own."""

    def __init__(self, url: str, home: Path) -> None:
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home), "FFRTMP_MASTER": url}

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """What it does, without the start of a process; see `test_each_command_as_a_process`."""
        nothing_else = dict.fromkeys(os.environ) | self.environment | environment
        done = CliRunner(env=nothing_else).invoke(main, arguments)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(["ffrtmp", *arguments], done.exit_code, done.stdout, done.stderr)

    def process(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A process of its own: for what signals, locks, threads and the end of a process are part of."""
        return run_forked(
            program("master.operator", arguments), {**self.environment, **environment}, with_ours=False
        )

    def program(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """The program as people start it: for what an interpreter's start is part of."""
        return subprocess.run(
            [sys.executable, "-c", _PROGRAM, *arguments],
            cwd=ROOT,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """The command while it runs, with its output in a pipe; in the end it is ended."""
        with subprocess.Popen(
            [sys.executable, "-u", "-c", _PROGRAM, *arguments], cwd=ROOT, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        ) as running:  # fmt: skip
            try:
                yield running
            finally:
                running.kill()

    def json(self, *arguments: str) -> Any:
        done = self("-o", "json", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    running = start_master(tmp_path_factory.mktemp("operator") / "master")
    yield running
    running.stop()


@pytest.fixture
def ffrtmp(master: Master, tmp_path: Path) -> Ffrtmp:
    return Ffrtmp(master.url, tmp_path)
