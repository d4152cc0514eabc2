"""A host, as the agent sees it: it is asked for a fork, which is watched like any other child."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from agent.ffmpeg.child import Cost
from agent.ffmpeg.limits import Limits
from agent.ffmpeg.spawner import rlimits, signal_group
from agent.hosts.inside import ANSWER, HEAD, Request

_PATIENCE = 20.0
"""Seconds for its answers, which come within milliseconds; the first when it has loaded everything."""
_TICK = 0.1
"""Seconds between looks at what is wanted."""
_CHUNK = 64 * 1024


class HostError(RuntimeError):
    """There is no fork: the host did not begin, has ended, or does not answer."""


class UnwantedError(HostError):
    """There is no fork, as nobody wants it any more."""


class Host:
    """A process in a sandbox, and the socket that it serves. For one thread at a time."""

    def __init__(self, process: subprocess.Popen[bytes], line: socket.socket) -> None:
        """`process`: the monitor of its sandbox."""
        self._process, self._line = process, line
        line.settimeout(_PATIENCE)
        self._ended: Cost | None = None
        self.good = True
        """Whether it may be asked again: all that it did ended well, and left nothing behind."""

    @property
    def group(self) -> int:
        """The process group of the sandbox."""
        return self._process.pid

    def ask(
        self,
        text: str,
        argv: Sequence[str],
        limits: Limits,
        descriptors: Sequence[int],
        wanted: Callable[[], bool],
    ) -> Fork:
        """A fork that runs the program `text`. `HostError`; `UnwantedError` once it is not `wanted`."""
        request: Request = {
            "text": text,
            "argv": list(argv),
            "numbers": list(descriptors),
            "limits": rlimits(limits),
        }
        body = json.dumps(request).encode()
        self.good = False  # until it has ended well
        reader, writer = os.pipe()
        try:
            try:
                socket.send_fds(self._line, [HEAD.pack(len(body))], [writer, *descriptors])
                self._line.sendall(body)
                return Fork(self, self._fork(wanted), os.fdopen(reader, "rb", 0))
            finally:
                os.close(writer)
        except BaseException as error:
            os.close(reader)
            if isinstance(error, OSError):
                raise HostError(f"{error}; {self._last_word()}") from error
            raise

    def _fork(self, wanted: Callable[[], bool]) -> int:
        """A pidfd of the fork."""
        deadline = time.monotonic() + _PATIENCE
        while not self._speaks(_TICK):
            if not wanted():
                raise UnwantedError
            if time.monotonic() > deadline:
                raise HostError("it did not begin in time")
        _, descriptors, _, _ = socket.recv_fds(self._line, 1, 1, socket.MSG_CMSG_CLOEXEC)
        if not descriptors:
            raise HostError(f"it has ended; {self._last_word()}")
        return descriptors[0]

    def settle(self) -> Cost:
        """How the fork ended and what it cost, once it has ended. Ends a host that does not say so."""
        signal_group(self.group, signal.SIGCONT)  # it may be suspended with what it waits for
        data = b""
        with contextlib.suppress(OSError):
            while len(data) < ANSWER.size and self._speaks(_PATIENCE):
                piece = self._line.recv(ANSWER.size - len(data))
                if not piece:
                    break
                data += piece
        if len(data) < ANSWER.size:
            return self.end()
        status, microseconds, peak, same = ANSWER.unpack(data)
        code = os.waitstatus_to_exitcode(status)
        self.good = bool(same) and code == 0
        return Cost(code, microseconds / 1e6, peak)

    def end(self) -> Cost:
        """Kills it with all that runs in its sandbox. What that cost is told of its monitor only."""
        if self._ended is None:
            self.good = False
            signal_group(self.group, signal.SIGKILL)
            _, status, usage = os.wait4(self.group, 0)
            self._process.returncode = os.waitstatus_to_exitcode(status)
            self._ended = Cost(-signal.SIGKILL, usage.ru_utime + usage.ru_stime, None)
            self._line.close()
            for pipe in (self._process.stdout, self._process.stderr):
                if pipe is not None:
                    pipe.close()
        return self._ended

    def _speaks(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._line, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def _last_word(self) -> str:
        """What it said before it ended, if it has."""
        said = b""
        pipe = self._process.stderr
        if pipe is not None:
            os.set_blocking(pipe.fileno(), False)
            said = pipe.read(_CHUNK) or b""
        return said.decode("utf-8", "replace").strip().rpartition("\n")[2] or "it said nothing"


class Fork:
    """A `Child` that a host has made for one request."""

    stdout: IO[bytes] | None = None

    def __init__(self, host: Host, pidfd: int, stderr: IO[bytes]) -> None:
        self.group, self.ends = host.group, pidfd
        self.stderr: IO[bytes] | None = stderr
        self._host = host

    def program(self) -> int | None:
        """As `Child`."""
        with contextlib.suppress(OSError, StopIteration, ValueError):
            lines = Path(f"/proc/self/fdinfo/{self.ends}").read_text().splitlines()
            pid = int(next(line for line in lines if line.startswith("Pid:")).split()[1])
            return pid if pid > 0 else None  # it is reaped
        return None

    def terminate(self) -> None:
        """As `Child`."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.ends, signal.SIGTERM)

    def reap(self) -> Cost:
        """As `Child`; the host does it."""
        return self._host.settle()

    def close(self) -> None:
        """As `Child`."""
        os.close(self.ends)
        if self.stderr is not None:
            self.stderr.close()
