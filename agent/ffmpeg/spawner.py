"""Starts the agent's children, and lets none outlive it.

The kernel kills a child (PR_SET_PDEATHSIG) when the thread that started it ends. So one
thread, which lives as long as the agent, starts all.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from agent.ffmpeg.limits import ALLOCATED, Limits

_INHERITED = ("LD_LIBRARY_PATH", "LIBVA_DRIVER_NAME", "LIBVA_DRIVERS_PATH", "CUDA_VISIBLE_DEVICES")
"""What of the agent's environment an ffmpeg gets: where its GPU driver is, and no secrets."""


_USUAL = Limits()
_OPEN_FILES = 256
_LAST_SECONDS = 5
"""Between the signal that a program can catch at the end of its CPU time, and the one that it cannot."""
_GREETING_SECONDS = 20
"""It comes within milliseconds. One that never comes must not hold up all others."""
_IF_PARENT_LIVES = ("/bin/sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"')
"""Comes after setpriv: an agent that died before the kernel was told leaves no ffmpeg either."""


class SpawnError(RuntimeError):
    """A child cannot be started; the message says what to do."""


class Spawner:
    """Starts children from one thread; when that ends, by `close` or by death, they are killed."""

    def __init__(self) -> None:
        """SpawnError if this machine has no `setpriv` or `prlimit`."""
        self._setpriv, self._prlimit = _find("setpriv"), _find("prlimit")
        # A pool's thread stays until shutdown; it is made by the first task, so here.
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="spawner")
        self._pool.submit(int).result()

    def spawn(
        self,
        argv: Sequence[str],
        cwd: Path,
        limits: Limits = _USUAL,
        descriptors: Sequence[int] = (),
        *,
        greets: bool = False,
    ) -> subprocess.Popen[bytes]:
        """A child in a session and process group of its own, with pipes for stdout and stderr.

        The kernel holds it to the limits of memory, CPU time and file size. It inherits the
        `descriptors` under their numbers, and no others. One that `greets`, as a sandbox does,
        first writes an empty line to stdout, and goes on when it reads one from stdin.

        `argv[0]` is a path or found on PATH. SpawnError after `close`; OSError if the
        system refuses (no memory, no such directory).
        """
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        environment |= {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "HOME": str(cwd)}

        def start() -> subprocess.Popen[bytes]:
            child = subprocess.Popen(  # noqa: S603 - an argv list of our own making
                [
                    *(self._setpriv, "--pdeathsig", "KILL", "--", *_IF_PARENT_LIVES, str(os.getpid())),
                    *(self._prlimit, *_resources(limits), "--", *argv),
                ],
                stdin=subprocess.PIPE if greets else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd=cwd,
                env=environment,
                pass_fds=descriptors,
                # Not in ours: a program with our terminal could type into it.
                start_new_session=True,
            )
            self._await_setpriv(child.pid)
            if greets:
                _answer(child)
            return child

        try:
            task = self._pool.submit(start)
        except RuntimeError as error:
            raise SpawnError("the agent is stopping and starts nothing more") from error
        return task.result()

    def _await_setpriv(self, pid: int) -> None:
        """Returns when setpriv has told the kernel and gone on to the next program (1 or 2 ms)."""
        setpriv = Path(self._setpriv).resolve()
        with contextlib.suppress(OSError):  # it has ended already
            while Path(f"/proc/{pid}/exe").readlink() == setpriv:
                time.sleep(0.0005)

    def output(self, argv: Sequence[str], cwd: Path, timeout: float, *, greets: bool = False) -> str:
        """What a short command prints on stdout; OSError if it takes longer (seconds) or fails."""
        child = self.spawn(argv, cwd, greets=greets)
        try:
            out, said = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            signal_group(child.pid, signal.SIGKILL)
            child.communicate()
            raise OSError(f"{argv[0]} did not answer within {timeout:g} s") from error
        if child.returncode != 0:
            last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise OSError(f"{argv[0]} failed with exit code {child.returncode}: {last or 'it said nothing'}")
        return out.decode("utf-8", "replace")

    def close(self) -> None:
        """Ends the thread; the kernel then kills every child that still runs."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Spawner:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def _answer(child: subprocess.Popen[bytes]) -> None:
    """Let the child go on once it has greeted. By the thread that starts all: it lives, so the child is
    told to be killed with us by a parent that lives too.
    """
    if child.stdin is None or child.stdout is None:
        return
    poll = select.poll()
    poll.register(child.stdout, select.POLLIN)
    with child.stdin, contextlib.suppress(BrokenPipeError):  # it has ended: it says elsewhere why
        if poll.poll(_GREETING_SECONDS * 1000) and child.stdout.read(1):
            child.stdin.write(b"\n")
    child.stdin = None  # Popen would flush it


def _find(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise SpawnError(f"{program} was not found; install the package util-linux")
    return found


def rlimits(limits: Limits) -> dict[str, tuple[int, int]]:
    """The kernel's limits by their names, soft and hard (setrlimit)."""
    data, files, output = ALLOCATED * limits.memory, _OPEN_FILES, limits.output_bytes
    return {
        "RLIMIT_DATA": (data, data),
        "RLIMIT_CPU": (limits.cpu_seconds, limits.cpu_seconds + _LAST_SECONDS),
        "RLIMIT_FSIZE": (output, output),
        "RLIMIT_NOFILE": (files, files),
        "RLIMIT_CORE": (0, 0),
    }


def _resources(limits: Limits) -> list[str]:
    """These as options of `prlimit`."""
    each = ((name.removeprefix("RLIMIT_").lower(), *both) for name, both in rlimits(limits).items())
    return [f"--{name}={soft}:{hard}" for name, soft, hard in each]


def signal_group(group: int, number: signal.Signals) -> None:
    """Signal all processes of the group, if there are any left."""
    # Its leader is not reaped before we are done, so the number cannot name another group.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
