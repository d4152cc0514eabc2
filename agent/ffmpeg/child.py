"""A program that runs: how it is suspended and ended, and what it cost. `agent.ffmpeg.process` watches it."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from agent.ffmpeg.spawner import signal_group

_DEADLY = {
    *(signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE),
    *(signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGSYS),
}
"""The signals that can end a program which is alone in its process namespace."""


@dataclass(frozen=True, slots=True)
class Cost:
    """How a program ended, and what it took. Unknown is None."""

    code: int
    """Its exit code; negative: the signal that ended it."""
    cpu_seconds: float
    """User and system time."""
    peak_bytes: int | None
    """Its largest resident set."""


class Child(Protocol):
    """A program that was started, and has not been reaped."""

    group: int
    """The process group that is suspended, and killed, with all that is in it."""
    ends: int
    """A descriptor that can be read once it has ended."""
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def program(self) -> int | None:
        """The program's pid, as the agent sees it; None while there is none."""

    def terminate(self) -> None:
        """Ask the program to end."""

    def reap(self) -> Cost:
        """Once it has ended, or was killed: nothing that it started is left. Once only."""

    def close(self) -> None:
        """Closes all descriptors."""


class Spawned:
    """What the spawner has started for itself alone."""

    def __init__(self, process: subprocess.Popen[bytes], *, has_monitor: bool) -> None:
        """`has_monitor`: it is the monitor of a sandbox, and the program its child."""
        self.group, self.stdout, self.stderr = process.pid, process.stdout, process.stderr
        self._process, self._has_monitor = process, has_monitor
        self._found: int | None = None
        # A child made by vfork counts its parent's memory as its own peak, up to this.
        self._inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self.ends = os.pidfd_open(process.pid)

    def program(self) -> int | None:
        """As `Child`; None while its sandbox is being made."""
        if not self._has_monitor:
            return self.group
        if self._found is None:
            children = Path(f"/proc/{self.group}/task/{self.group}/children")
            with contextlib.suppress(OSError, ValueError, IndexError):
                # The monitor has one child and does not reap it before it ends itself.
                self._found = int(children.read_text().split()[0])
        return self._found

    def terminate(self) -> None:
        """As `Child`; a sandbox's monitor must stay, or the program would be killed."""
        program = self.program()
        if program == self.group:
            signal_group(program, signal.SIGTERM)
        elif program is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(program, signal.SIGTERM)

    def reap(self) -> Cost:
        """As `Child`. Linux hands the parent's peak down to a child through vfork and exec, so a number
        that is not above ours says nothing.
        """
        signal_group(self.group, signal.SIGKILL)  # helpers that it left behind hold the pipes
        _, status, usage = os.wait4(self.group, 0)
        code = os.waitstatus_to_exitcode(status)
        self._process.returncode = code  # so that Popen does not wait for it again
        peak = usage.ru_maxrss * 1024
        return Cost(
            told_by_monitor(code) if self._has_monitor else code,
            usage.ru_utime + usage.ru_stime,
            peak if peak > self._inherited else None,
        )

    def close(self) -> None:
        """As `Child`."""
        os.close(self.ends)
        for pipe in (self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()


def told_by_monitor(code: int) -> int:
    """A program's exit code from that of its sandbox's monitor; negative: the signal that ended it.

    The monitor says 128 + n for signal n, as shells do. ffmpeg's own codes are 256 - errno: those
    of the errnos 97 to 124 look the same, most of which are errors of a network that it has not.
    """
    return 128 - code if code - 128 in _DEADLY else code
