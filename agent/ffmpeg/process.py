"""Starts an ffmpeg, watches it and ends it: the only place that handles its process.

An ffmpeg never outlives its agent: the kernel kills it (PR_SET_PDEATHSIG) when the
thread that started it ends. So one thread, which lives as long as the agent, starts all.
"""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from agent.ffmpeg.limits import Limits, Why, overdue
from agent.ffmpeg.log import LogRing
from agent.ffmpeg.progress import ProgressParser
from common.model import Progress

_TICK = 0.1
"""Seconds between looks at the clock and at the abort event, which no selector can wait for."""
_CHUNK = 64 * 1024
_INHERITED = ("LD_LIBRARY_PATH", "LIBVA_DRIVER_NAME", "LIBVA_DRIVERS_PATH", "CUDA_VISIBLE_DEVICES")
"""What of the agent's environment an ffmpeg gets: where its GPU driver is, and no secrets."""


_IF_PARENT_LIVES = ("/bin/sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"')
"""Comes after setpriv: an agent that died before the kernel was told leaves no ffmpeg either."""


class SpawnError(RuntimeError):
    """A child cannot be started; the message says what to do."""


class Spawner:
    """Starts children from one thread; when that ends, by `close` or by death, they are killed."""

    def __init__(self) -> None:
        """SpawnError if this machine has no `setpriv`."""
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise SpawnError("setpriv was not found; install the package util-linux")
        self._setpriv = setpriv
        # A pool's thread stays until shutdown; it is made by the first task, so here.
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="spawner")
        self._pool.submit(int).result()

    def spawn(self, argv: Sequence[str], cwd: Path) -> subprocess.Popen[bytes]:
        """A child in its own process group, with pipes for stdout and stderr.

        `argv[0]` is a path or found on PATH. SpawnError after `close`; OSError if the
        system refuses (no memory, no such directory).
        """
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        environment |= {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "HOME": str(cwd)}

        def start() -> subprocess.Popen[bytes]:
            child = subprocess.Popen(  # noqa: S603 - an argv list of our own making
                [self._setpriv, "--pdeathsig", "KILL", "--", *_IF_PARENT_LIVES, str(os.getpid()), *argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd=cwd,
                env=environment,
                process_group=0,
            )
            self._await_setpriv(child.pid)
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

    def output(self, argv: Sequence[str], cwd: Path, timeout: float) -> str:
        """What a short command prints on stdout; OSError if it takes longer or fails."""
        child = self.spawn(argv, cwd)
        try:
            out, _ = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            _signal_group(child.pid, signal.SIGKILL)
            child.communicate()
            raise OSError(f"{argv[0]} did not answer within {timeout:g} s") from error
        if child.returncode != 0:
            raise OSError(f"{argv[0]} failed with exit code {child.returncode}")
        return out.decode("utf-8", "replace")

    def close(self) -> None:
        """Ends the thread; the kernel then kills every child that still runs."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Spawner:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended, and what it cost. Unknown is None."""

    returncode: int | None
    """Its exit code; None if a signal ended it."""
    signal: int | None
    """The signal that ended it."""
    why: Why | None
    """Why we ended it; None if it ended by itself."""
    cpu_seconds: float
    """User and system time of the process, from wait4."""
    peak_memory_bytes: int | None
    """Its largest resident set; None if it was too short to be told from the agent's."""
    wall_seconds: float
    """From its start to its end, on the monotonic clock."""
    log: tuple[str, ...]
    """The last 64 KB of stderr, as lines."""


def run(
    spawner: Spawner,
    argv: Sequence[str],
    cwd: Path,
    *,
    limits: Limits,
    abort: threading.Event,
    total_frames: int | None = None,
    on_progress: Callable[[Progress, list[str]], None] | None = None,
) -> Ended:
    """Runs one child to its end, which `limits` and `abort` may bring about.

    `on_progress` gets the newest progress and the log lines since the last call: about
    once a second, and once at the end. It may take its time: another thread reads the
    pipes, so the child never waits for it. If it raises, the child is ended, and it raises.
    """
    started = time.monotonic()
    watch = _Watch(spawner.spawn(argv, cwd), limits, abort, ProgressParser(total_frames), started)
    thread = threading.Thread(target=watch.run, name=f"watch-{watch.child.pid}", daemon=True)
    thread.start()
    try:
        while not watch.done.wait(1.0):
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


class _Watch:
    """Reads one child's pipes and ends it when it must; lives in a thread of its own."""

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        limits: Limits,
        abort: threading.Event,
        parser: ProgressParser,
        started: float,
    ) -> None:
        self.child = child
        self.log = LogRing()
        self.progress = Progress()
        self.done = threading.Event()
        self.unwanted = threading.Event()  # whoever started it has gone: end it
        self.ended: Ended | None = None
        self.error: BaseException | None = None
        self._limits, self._abort, self._parser, self._started = limits, abort, parser, started
        self._changed: float | None = None  # when the progress last moved
        self._why: Why | None = None
        self._kill_at: float | None = None
        self._sampled = 0
        # A child made by vfork counts its parent's memory as its own peak, up to this.
        self._inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def run(self) -> None:
        """The thread: `ended` or `error` is set when `done` is."""
        try:
            self._loop()
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
            self.error = error
            _signal_group(self.child.pid, signal.SIGKILL)
            self.child.wait()
        finally:
            for pipe in (self.child.stdout, self.child.stderr):
                if pipe is not None:
                    pipe.close()
            self.done.set()

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
                while not self._read(selector, pidfd):
                    now = time.monotonic()
                    self._judge(now)
                    self._sample_memory()
                wall = time.monotonic() - self._started
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
        if moved:
            self._changed = time.monotonic()

    def _judge(self, now: float) -> None:
        if self._why is None:
            if self._abort.is_set() or self.unwanted.is_set():
                self._why = "aborted"
            else:
                done = self.progress.percent == 100
                self._why = overdue(
                    self._limits, now, started=self._started, changed=self._changed, done=done
                )
            if self._why is not None:
                _signal_group(self.child.pid, signal.SIGTERM)
                self._kill_at = now + self._limits.grace
        elif self._kill_at is not None and now >= self._kill_at:
            _signal_group(self.child.pid, signal.SIGKILL)
            self._kill_at = None

    def _sample_memory(self) -> None:
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in Path(f"/proc/{self.child.pid}/status").read_text("ascii", "replace").splitlines():
                if line.startswith("VmHWM:"):
                    self._sampled = int(line.split()[1]) * 1024

    def _end(self, selector: selectors.BaseSelector, pidfd: int, wall: float) -> None:
        """Reads what is left, reaps the child, and notes what it cost."""
        _signal_group(self.child.pid, signal.SIGKILL)  # helpers that it left behind hold the pipes
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
        self.ended = Ended(
            returncode=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            why=self._why,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
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


def _signal_group(group: int, number: signal.Signals) -> None:
    # Its leader is not reaped before we are done, so the number cannot name another group.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
