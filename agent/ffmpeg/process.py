"""Watches an ffmpeg, suspends it and ends it: the only place that handles its process."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from agent.ffmpeg.child import Child, Spawned
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
_AT_FIRST = 2.0
"""Seconds."""
_PAUSES = ((_AT_FIRST, 0.25), (10.0, 0.75))
"""Until when (seconds) how many seconds pass between telling how far it is and listening for what ffmpeg says
next, which is twice a second: who estimates when it ends needs a few of them early."""
_PAUSE = 1.75
"""Behind that: to tell more often costs more than all else that is done while an encode runs."""
_PATIENCE = 0.5
"""Seconds to listen."""
_NO_SANDBOX = Sandbox()


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
    """User and system time of the process, from wait4; with that of a host, which made it, since its last."""
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
    said so: twice in each of the first two seconds, once in each of the next eight, then in every other one,
    and once at the end. It may take its time: another thread reads the pipes, so the child never waits for
    it. If it raises, the child is ended, and it raises.
    """
    started = time.monotonic()
    caged = sandbox.wrap(argv, cwd if writable else None, readable, devices=devices, network=network)
    process = spawner.spawn(caged, cwd, limits, descriptors, greets=sandbox.has_monitor)
    child = Spawned(process, has_monitor=sandbox.has_monitor)
    return watch(child, started, limits, abort, may_work, total_frames, on_progress)


def watch(
    child: Child,
    started: float,
    limits: Limits,
    abort: threading.Event,
    may_work: Callable[[], bool],
    total_frames: int | None = None,
    on_progress: Callable[[Progress, list[str]], None] | None = None,
) -> Ended:
    """What `run` does with a child that was started then (on the monotonic clock)."""
    watching = _Watch(child, _Wanted(limits, abort, may_work), ProgressParser(total_frames), started)
    thread = threading.Thread(target=watching.run, name=f"watch-{child.group}", daemon=True)
    thread.start()
    try:
        while not watching.done.wait(_pause(time.monotonic() - started)):
            watching.spoke.clear()
            watching.spoke.wait(_PATIENCE)
            if watching.done.is_set():
                break
            if on_progress is not None:
                on_progress(watching.progress, watching.log.take())
    finally:
        watching.unwanted.set()
        thread.join()
    if watching.ended is None:
        raise watching.error or RuntimeError("the watching thread ended without a word")
    if on_progress is not None:
        on_progress(watching.progress, watching.log.take(final=True))
    return watching.ended


def _pause(ran: float) -> float:
    return next((pause for until, pause in _PAUSES if ran < until), _PAUSE)


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
        child: Child,
        wanted: _Wanted,
        parser: ProgressParser,
        started: float,
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
        # Beyond that the kernel would end a process of its choice.
        self._memory = min(wanted.limits.memory, psutil.virtual_memory().total // 10 * 9)

    def run(self) -> None:
        """The thread: `ended` or `error` is set when `done` is."""
        try:
            self._loop()
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
            self.error = error
            signal_group(self.child.group, signal.SIGKILL)
            with contextlib.suppress(OSError):  # it is reaped already
                self.child.reap()
        finally:
            self.child.close()
            self.done.set()
            self.spoke.set()

    def _loop(self) -> None:
        with selectors.DefaultSelector() as selector:
            for pipe, reader in (
                (self.child.stdout, self._on_stdout),
                (self.child.stderr, self.log.write),
            ):
                if pipe is not None:
                    os.set_blocking(pipe.fileno(), False)
                    selector.register(pipe.fileno(), selectors.EVENT_READ, reader)
            selector.register(self.child.ends, selectors.EVENT_READ)
            self._judge(time.monotonic())
            while not self._read(selector):
                self._sample_memory(time.monotonic())
                self._judge(time.monotonic())
            self._end(selector, self._clock.read(time.monotonic()) - self._started)

    def _read(self, selector: selectors.BaseSelector) -> bool:
        """One piece from each pipe that has one; True once the child has ended."""
        ended = False
        for key, _ in selector.select(_TICK):
            if key.fd == self.child.ends:
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
            signal_group(self.child.group, signal.SIGKILL)
            self._kill_at = None

    def _suspend_or_resume(self, now: float) -> None:
        may_work = self._wanted.may_work()
        if may_work and self._clock.stands:
            signal_group(self.child.group, signal.SIGCONT)
            self._clock.resume(now)
        elif not may_work and not self._clock.stands:
            signal_group(self.child.group, signal.SIGSTOP)
            self._clock.suspend(now)

    def _end_if_overdue(self, now: float) -> None:
        limits, worked = self._wanted.limits, self._clock.read(now)
        done = self.progress.percent == 100
        self._why = overdue(limits, worked, started=self._started, changed=self._changed, done=done)
        if self._why is not None:
            self.child.terminate()
            self._kill_at = now + limits.grace

    def _sample_memory(self, now: float) -> None:
        if now < self._sample_at:
            return
        self._sample_at = 0.0 if now - self._started < _AT_FIRST else now + _SAMPLE
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in (
                Path(f"/proc/{self.child.program()}/status").read_text("ascii", "replace").splitlines()
            ):
                if line.startswith("VmHWM:"):
                    self._sampled = int(line.split()[1]) * 1024

    def _end(self, selector: selectors.BaseSelector, wall: float) -> None:
        """Reaps the child, reads what is left, and notes what it cost."""
        cost = self.child.reap()
        selector.unregister(self.child.ends)
        for key in list(selector.get_map().values()):
            with contextlib.suppress(BlockingIOError):
                for _ in range(16):  # a full pipe is one piece; a helper that died last may add some
                    if not (data := os.read(key.fd, _CHUNK)):
                        break
                    key.data(data)
        if self._why is None:
            self._why = exceeded(self._wanted.limits, cost.code, cost.cpu_seconds, self.log.lines())
        self.ended = Ended(
            returncode=cost.code if cost.code >= 0 else None,
            signal=-cost.code if cost.code < 0 else None,
            why=self._why,
            cpu_seconds=cost.cpu_seconds,
            peak_memory_bytes=cost.peak_bytes or self._sampled or None,
            wall_seconds=wall,
            log=self.log.lines(),
        )
