"""Masters forked from a process that has loaded their program: they serve in 0.2 s instead of 0.7 s."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.masters import Master, wait_until

_FORK = multiprocessing.get_context("forkserver")
_FORK.set_forkserver_preload(["master.cli", "master.runtime", "master.server"])


def unchanged() -> None:
    """The master as it is."""


class ForkedMaster(Master):
    """A real master: gunicorn, its worker, TLS and the disk. Only the interpreter's start is left out."""

    def __init__(
        self, state_dir: Path, port: int, flags: list[str], prepare: Callable[[], None] = unchanged
    ) -> None:
        """`prepare` (of a module, by name) runs in the master's process before it starts."""
        self._prepare = prepare
        super().__init__(
            state_dir, port, [f"--port={port}", f"--state-dir={state_dir}", *flags], environment={}
        )

    def _spawn(self, flags: list[str], environment: dict[str, str]) -> ForkedProcess:
        return ForkedProcess(flags, self.log, self._prepare)


class ForkedProcess:
    """The process of a forked master; see `tests.masters.Process`."""

    def __init__(self, flags: list[str], log: Path, prepare: Callable[[], None]) -> None:
        self._process: ForkServerProcess = _FORK.Process(
            target=_serve, args=(flags, str(log), prepare), daemon=True
        )
        self._process.start()
        # A kill of its group must not come before there is one.
        wait_until(lambda: self._leads_a_group() or self.poll() is not None, "the process has begun")

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
            raise subprocess.TimeoutExpired("master", timeout or 0)
        return self._process.exitcode

    def send_signal(self, sig: int) -> None:
        os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _serve(flags: list[str], log: str, prepare: Callable[[], None]) -> None:
    os.setsid()
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    prepare()
    from master.cli import main

    main(flags, prog_name="master")
