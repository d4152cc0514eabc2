"""Watches an ffmpeg, suspends it and ends it: the only place that handles its process."""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from agent.ffmpeg.limits import Limits, Why, WorkClock, exceeded, overdue
from agent.ffmpeg.log import LogRing
from agent.ffmpeg.progress import ProgressParser
from agent.ffmpeg.spawner import Spawner, signal_group
from agent.sandbox import Sandbox
from common.model import Progress

_TICK = 0.1
"""Seconds between looks at the clock and at what is wanted, which no selector can wait for."""
_CHUNK = 64 * 1024
_SAMPLE = 0.5
"""Seconds between looks at the memory of a program that has run for `_AT_FIRST`: they cost much."""
_PAUSE, _FIRST_PAUSE, _AT_FIRST = 0.75, 0.25, 2.0
"""Seconds between telling how far it is and listening for what ffmpeg says next, which is twice a second;
shorter ones at first, for so long: who estimates when it ends needs a few of them."""
_PATIENCE = 0.5
"""Seconds to listen."""
_NO_SANDBOX = Sandbox()
_DEADLY = {
    *(signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE),
    *(signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGSYS),
}
"""The signals that can end a program which is alone in its process namespace."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended, and what it cost. Unknown is None."""

    returncode: int | None
    """Its exit code; None if a signal ended it."""
    signal: int | None
    """The signal that ended it."""
    why: Why | None
    """Which limit or order ended it; None if it ended by itself."""
    cpu_seconds: float
    """User and system time of the process, from wait4."""
    peak_memory_bytes: int | None
    """Its largest resident set; None if it was too short to be told from the agent's."""
    wall_seconds: float
    """From its start to its end, on the monotonic clock; without the time that it was suspended,
    in which it could not work."""
    log: tuple[str, ...]
    """The last 64 KB of stderr, as lines."""


def run(
    spawner: Spawner,
    argv: Sequence[str],
    cwd: Path,
    *,
    limits: Limits,
    abort: threading.Event,
    may_work: Callable[[], bool] = lambda: True,
    total_frames: int | None = None,
    on_progress: Callable[[Progress, list[str]], None] | None = None,
    sandbox: Sandbox = _NO_SANDBOX,
    readable: Sequence[Path] = (),
    descriptors: Sequence[int] = (),
    writable: bool = True,
    devices: bool = False,
    network: bool = False,
) -> Ended:
    """Runs one child in the sandbox to its end, which `limits` and `abort` may bring about.

    It works in `cwd`, if that is `writable` for it, and reads what is `readable` and the open
    files `descriptors`; `devices`: it needs the GPUs; `network`: it sends or receives, and does nothing else.

    It is suspended while `may_work` is false, which is asked again and again from another
    thread; that time counts for nothing. After an abort it is killed at once: nothing that
    it wrote is wanted.

    `on_progress` gets the newest progress and the log lines since the last call, as soon as ffmpeg has
    said so: about once a second, twice in each of the first two, and once at the end. It may take its
    time: another thread reads the pipes, so the child never waits for it. If it raises, the child is
    ended, and it raises.
    """
    started = time.monotonic()
    wanted = _Wanted(limits, abort, may_work)
    caged = sandbox.wrap(argv, cwd if writable else None, readable, devices=devices, network=network)
    child = spawner.spawn(caged, cwd, limits, descriptors, greets=sandbox.has_monitor)
    watch = _Watch(child, wanted, ProgressParser(total_frames), started, has_monitor=sandbox.has_monitor)
    thread = threading.Thread(target=watch.run, name=f"watch-{watch.child.pid}", daemon=True)
    thread.start()
    try:
        while not watch.done.wait(_pause(time.monotonic() - started)):
            watch.spoke.clear()
            watch.spoke.wait(_PATIENCE)
            if watch.done.is_set():
                break
            if on_progress is not None:
                on_progress(watch.progress, watch.log.take())
    finally:
        watch.unwanted.set()
        thread.join()
    if watch.ended is None:
        raise watch.error or RuntimeError("the watching thread ended without a word")
    if on_progress is not None:
        on_progress(watch.progress, watch.log.take(final=True))
    return watch.ended


def _pause(ran: float) -> float:
    return _FIRST_PAUSE if ran < _AT_FIRST else _PAUSE


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What others want of a child; see `run`."""

    limits: Limits
    abort: threading.Event
    may_work: Callable[[], bool]


class _Watch:
    """Reads one child's pipes, suspends it and ends it when it must; lives in a thread of its own."""

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        wanted: _Wanted,
        parser: ProgressParser,
        started: float,
        *,
        has_monitor: bool,
    ) -> None:
        self.child = child
        self.log = LogRing()
        self.progress = Progress()
        self.done = threading.Event()
        self.spoke = threading.Event()  # ffmpeg has just said how far it is, or has ended
        self.unwanted = threading.Event()  # whoever started it has gone: end it
        self.ended: Ended | None = None
        self.error: BaseException | None = None
        self._wanted, self._parser, self._started = wanted, parser, started
        self._clock = WorkClock()
        self._changed: float | None = None  # when the progress last moved, on that clock
        self._why: Why | None = None
        self._kill_at: float | None = None
        self._sampled = 0  # bytes; the peak so far
        self._sample_at = 0.0  # when that is looked for again
        self._found: int | None = None  # the program's pid
        # Beyond that the kernel would end a process of its choice.
        self._memory = min(wanted.limits.memory, psutil.virtual_memory().total // 10 * 9)
        self._has_monitor = has_monitor
        # A child made by vfork counts its parent's memory as its own peak, up to this.
        self._inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def run(self) -> None:
        """The thread: `ended` or `error` is set when `done` is."""
        try:
            self._loop()
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
            self.error = error
            signal_group(self.child.pid, signal.SIGKILL)
            self.child.wait()
        finally:
            for pipe in (self.child.stdout, self.child.stderr):
                if pipe is not None:
                    pipe.close()
            self.done.set()
            self.spoke.set()

    def _loop(self) -> None:
        pidfd = os.pidfd_open(self.child.pid)
        try:
            with selectors.DefaultSelector() as selector:
                for pipe, reader in (
                    (self.child.stdout, self._on_stdout),
                    (self.child.stderr, self.log.write),
                ):
                    if pipe is not None:
                        os.set_blocking(pipe.fileno(), False)
                        selector.register(pipe.fileno(), selectors.EVENT_READ, reader)
                selector.register(pidfd, selectors.EVENT_READ)
                self._judge(time.monotonic())
                while not self._read(selector, pidfd):
                    self._sample_memory(time.monotonic())
                    self._judge(time.monotonic())
                wall = self._clock.read(time.monotonic()) - self._started
                self._end(selector, pidfd, wall)
        finally:
            os.close(pidfd)

    def _read(self, selector: selectors.BaseSelector, pidfd: int) -> bool:
        """One piece from each pipe that has one; True once the child has ended."""
        ended = False
        for key, _ in selector.select(_TICK):
            if key.fd == pidfd:
                ended = True
                continue
            with contextlib.suppress(BlockingIOError):
                data = os.read(key.fd, _CHUNK)
                if data:
                    key.data(data)
                else:
                    selector.unregister(key.fd)
        return ended

    def _on_stdout(self, data: bytes) -> None:
        newest = self._parser.feed(data)
        if newest is None:
            return
        # ffmpeg repeats `frame=0` from the start: that is no progress yet.
        moved = (newest.frame or 0, newest.out_time or 0) != (
            self.progress.frame or 0,
            self.progress.out_time or 0,
        )
        self.progress = newest
        self.spoke.set()
        if moved:
            self._changed = self._clock.read(time.monotonic())

    def _judge(self, now: float) -> None:
        if self._why is None:
            if self._wanted.abort.is_set() or self.unwanted.is_set():
                # TERM would let it finish its file, and does not end one that is suspended.
                self._why, self._kill_at = "aborted", now
            elif self._sampled > self._memory:
                self._why, self._kill_at = "memory_limit", now
            else:
                self._suspend_or_resume(now)
                self._end_if_overdue(now)
        if self._kill_at is not None and now >= self._kill_at:
            signal_group(self.child.pid, signal.SIGKILL)
            self._kill_at = None

    def _suspend_or_resume(self, now: float) -> None:
        may_work = self._wanted.may_work()
        if may_work and self._clock.stands:
            signal_group(self.child.pid, signal.SIGCONT)
            self._clock.resume(now)
        elif not may_work and not self._clock.stands:
            signal_group(self.child.pid, signal.SIGSTOP)
            self._clock.suspend(now)

    def _end_if_overdue(self, now: float) -> None:
        limits, worked = self._wanted.limits, self._clock.read(now)
        done = self.progress.percent == 100
        self._why = overdue(limits, worked, started=self._started, changed=self._changed, done=done)
        if self._why is not None:
            self._terminate()
            self._kill_at = now + limits.grace

    def _terminate(self) -> None:
        """Ask the program to end; a sandbox's monitor must stay, or it would be killed."""
        program = self._program()
        if program == self.child.pid:
            signal_group(program, signal.SIGTERM)
        elif program is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(program, signal.SIGTERM)

    def _program(self) -> int | None:
        """The program's pid; None while its sandbox is being made."""
        if not self._has_monitor:
            return self.child.pid
        if self._found is None:
            children = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children")
            with contextlib.suppress(OSError, ValueError, IndexError):
                # The monitor has one child and does not reap it before it ends itself.
                self._found = int(children.read_text().split()[0])
        return self._found

    def _sample_memory(self, now: float) -> None:
        if now < self._sample_at:
            return
        self._sample_at = 0.0 if now - self._started < _AT_FIRST else now + _SAMPLE
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in Path(f"/proc/{self._program()}/status").read_text("ascii", "replace").splitlines():
                if line.startswith("VmHWM:"):
                    self._sampled = int(line.split()[1]) * 1024

    def _end(self, selector: selectors.BaseSelector, pidfd: int, wall: float) -> None:
        """Reads what is left, reaps the child, and notes what it cost."""
        signal_group(self.child.pid, signal.SIGKILL)  # helpers that it left behind hold the pipes
        selector.unregister(pidfd)
        for key in list(selector.get_map().values()):
            with contextlib.suppress(BlockingIOError):
                for _ in range(16):  # a full pipe is one piece; a helper that died last may add some
                    if not (data := os.read(key.fd, _CHUNK)):
                        break
                    key.data(data)
        _, status, usage = os.wait4(self.child.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        self.child.returncode = code  # so that Popen does not wait for it again
        if self._has_monitor:
            code = told_by_monitor(code)
        cpu_seconds = usage.ru_utime + usage.ru_stime
        if self._why is None:
            self._why = exceeded(self._wanted.limits, code, cpu_seconds, self.log.lines())
        self.ended = Ended(
            returncode=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            why=self._why,
            cpu_seconds=cpu_seconds,
            peak_memory_bytes=self.peak(usage.ru_maxrss * 1024),
            wall_seconds=wall,
            log=self.log.lines(),
        )

    def peak(self, counted: int) -> int | None:
        """The child's peak memory in bytes: wait4's number, where that is the child's own.

        Linux hands the parent's peak down to a child through vfork and exec, so a number
        that is not above ours says nothing: then it is the highest seen in /proc.
        """
        return counted if counted > self._inherited else self._sampled or None


def told_by_monitor(code: int) -> int:
    """A program's exit code from that of its sandbox's monitor; negative: the signal that ended it.

    The monitor says 128 + n for signal n, as shells do. ffmpeg's own codes are 256 - errno: those
    of the errnos 97 to 124 look the same, most of which are errors of a network that it has not.
    """
    return 128 - code if code - 128 in _DEADLY else code
