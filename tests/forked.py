"""Our programs forked from a process that has loaded them: a test runs when they would still be loading.

What is left out is the interpreter's start and the loading of modules, most of the CPU time of a short
life: a second for a master or an agent. All else is real: a process with its own environment, signals,
files and exit status. The programs themselves are started too: `tests/api/test_command_line.py`,
`tests/packaging`, the guide and the demo do nothing else.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from multiprocessing.context import ForkServerProcess
from pathlib import Path

ROOT = Path(__file__).parents[1]
_FORK = multiprocessing.get_context("forkserver")
_FORK.set_forkserver_preload(["tests.loaded"])
_PATIENCE = 30.0
"""Seconds that a process has for its first step."""
_LONGEST = 60.0
"""Seconds that one has that is waited for."""
_CALLED = {"master.operator": "ffrtmp"}
"""What people call a program whose package has another name."""


def unchanged() -> None:
    """The program as it is."""


class ForkedProcess:
    """A process that runs `main`, such as that of `program`; see `tests.masters.Process`."""

    def __init__(
        self,
        main: Callable[[], object],
        log: Path,
        environment: Mapping[str, str] | None = None,
        errors: Path | None = None,
        *,
        with_ours: bool = True,
    ) -> None:
        """`main` is a module's, known there by its name. It leads a group of its own, and says all that it
        says to `log`; with `errors`, what goes to stderr is there. `environment`: beside ours, or alone.
        """
        whole = {**(os.environ if with_ours else {}), **(environment or {})}
        self._process: ForkServerProcess = _FORK.Process(
            target=_run, args=(main, str(log), str(errors or log), whole), daemon=True
        )
        self._process.start()
        self._wait_until_it_leads_a_group()

    def _wait_until_it_leads_a_group(self) -> None:
        """A kill of its group must not come before there is one."""
        deadline = time.monotonic() + _PATIENCE
        while self.poll() is None and not self._leads_a_group():
            assert time.monotonic() < deadline, "the process has not begun"
            time.sleep(0.001)

    def _leads_a_group(self) -> bool:
        try:
            return os.getpgid(self.pid) == self.pid
        except ProcessLookupError:
            return False

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("a forked process", timeout or 0)
        return self._process.exitcode

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run_forked(
    main: Callable[[], object], environment: Mapping[str, str] | None = None, *, with_ours: bool = True
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run`, of a program that ends by itself. `environment`: see `ForkedProcess`."""
    with tempfile.TemporaryDirectory(prefix="ffrtmp-forked-") as name:
        out, errors = Path(name, "out"), Path(name, "errors")
        process = ForkedProcess(main, out, environment, errors, with_ours=with_ours)
        try:
            code = process.wait(_LONGEST)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return subprocess.CompletedProcess([str(main)], code, out.read_text(), errors.read_text())


def program(name: str, flags: Sequence[str], prepare: Callable[[], None] = unchanged) -> Callable[[], object]:
    """What the process of `master`, `agent` or `master.operator` (`ffrtmp`) does.

    `prepare` (of a module, as `main`) comes before that.
    """
    return partial(_play, name, list(flags), prepare)


def _play(name: str, flags: list[str], prepare: Callable[[], None]) -> None:
    prepare()
    import_module(f"{name}.cli").main(flags, prog_name=_CALLED.get(name, name))


def _run(main: Callable[[], object], log: str, errors: str, environment: dict[str, str]) -> None:
    os.setsid()
    for number, path in ((1, log), (2, errors)):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(fd, number)
        os.close(fd)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    main()
