"""`ffrtmp watch` as a process: started as often as a test likes, and ended with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tests.masters import ROOT

Start = Callable[..., subprocess.Popen[str]]


@contextmanager
def processes(arguments: Callable[..., tuple[str, ...]], environment: Mapping[str, str]) -> Iterator[Start]:
    """Starts the command with what `arguments` makes of further words."""
    started: list[subprocess.Popen[str]] = []

    def start(*more: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", "from master.operator.cli import main; main()", *arguments(*more)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
