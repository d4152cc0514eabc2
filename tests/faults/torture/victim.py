"""A master, always on the same port and state, and the ways to strike it down at a random moment."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from master import reaper, runtime
from master.store import memory
from tests.masters import Client, Master, free_port, launch_master, wait_until

SEGMENT_BYTES = 32 * 1024
HASTE = 10
"""How much more often than usual the master looks whether there is something to fold."""


def hasty() -> None:
    """Small segments and frequent snapshots: a year's worth of them in minutes."""
    store = partial(memory.MemoryStore, segment_bytes=SEGMENT_BYTES)
    mock.patch.object(runtime, "MemoryStore", store).start()

    def hurried(chores: list[Callable[[], None]], interval: float) -> reaper.Reaper:
        return reaper.Reaper(chores, interval / HASTE)

    mock.patch.object(runtime, "Reaper", hurried).start()


class Victim:
    """One master after the other."""

    def __init__(self, state_dir: Path, chance: random.Random, **flags: Any) -> None:
        """`flags`: more of the master's."""
        self._state_dir = state_dir
        self._flags = flags
        self._port = free_port()
        self._chance = chance
        self.writers: list[str] = []
        """What was seen of two processes that wrote one state at the same time."""
        self.master = self._start()
        self.ready()

    def ready(self) -> None:
        """Returns when it answers."""
        self.master.ready()

    def _start(self) -> Master:
        # Nobody is lost by time here: who holds what, the clients know.
        terms: dict[str, Any] = {"lease": "1h", "heartbeat_timeout": "1h"}
        return launch_master(self._state_dir, port=self._port, prepare=hasty, **terms, **self._flags)

    def client(self) -> Client:
        """A client of it."""
        return self.master.client()

    @property
    def logs(self) -> list[Path]:
        """What it writes to."""
        return [self.master.log]

    def strike(self) -> float:
        """One fault; the seconds from it to the first healthy answer after it."""
        ways = {
            self.kill_everything: 6,
            self.kill_the_worker: 4,
            self.kill_the_parent: 2,
            self.kill_while_starting: 2,
            self.kill_the_snapshot_process: 2,
            self.freeze_the_worker: 1,
            self.restart: 1,
            self.reload: 1,
        }
        (way,) = self._chance.choices(list(ways), list(ways.values()))
        begun = way()
        self.ready()
        return time.monotonic() - begun

    def kill_everything(self) -> float:
        begun = time.monotonic()
        self.master.kill()
        self.master = self._start()
        return begun

    def kill_the_worker(self) -> float:
        worker = self._worker()
        begun = time.monotonic()
        os.kill(worker, signal.SIGKILL)
        self._wait_for_another(worker)
        return begun

    def kill_the_parent(self) -> float:
        """The worker is an orphan; what is started now must wait for its end, or refuse to start."""
        orphan = self._worker()
        begun = time.monotonic()
        self.master.process.kill()
        self.master.process.wait(10)

        def serves() -> bool:
            if self.master.process.poll() is not None:  # as systemd does
                self.master = self._start()
            self._look_at_writers(orphan)
            return not _writes(orphan, self._state_dir) and self.master.worker_pid() is not None

        wait_until(serves, "another master takes over", 60)
        return begun

    def kill_while_starting(self) -> float:
        begun = self.kill_everything()
        delay = self._chance.uniform(0.0, 0.3)
        wait_until(lambda: time.monotonic() > begun + delay, "it has begun to start")
        self.kill_everything()
        return begun

    def kill_the_snapshot_process(self) -> float:
        """If one is seen within a second; else the worker, which may be about to start one."""
        worker = self._worker()
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            for child in _children(worker):
                begun = time.monotonic()
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
                    return begun
        return self.kill_the_worker()

    def freeze_the_worker(self) -> float:
        worker = self._worker()
        until = time.monotonic() + self._chance.uniform(0.05, 1.0)
        os.kill(worker, signal.SIGSTOP)
        wait_until(lambda: time.monotonic() > until, "it was frozen long enough")
        if self._chance.random() < 0.5:
            return self.kill_everything()
        begun = time.monotonic()
        os.kill(worker, signal.SIGCONT)
        return begun

    def restart(self) -> float:
        begun = time.monotonic()
        status = self.master.stop()
        assert status == 0, f"the master ended with {status} after SIGTERM"
        self.master = self._start()
        return begun

    def reload(self) -> float:
        worker = self._worker()
        begun = time.monotonic()
        self.master.process.send_signal(signal.SIGHUP)
        self._wait_for_another(worker)
        return begun

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.master.process.pid, signal.SIGKILL)
        self.master.process.wait(10)

    def _worker(self) -> int:
        pid = wait_until(self.master.worker_pid, "there is a worker")
        assert isinstance(pid, int)
        return pid

    def _wait_for_another(self, worker: int) -> None:
        def alone() -> bool:
            self._look_at_writers(worker)
            return worker not in _children(self.master.process.pid) and self.master.worker_pid() is not None

        wait_until(alone, "there is another worker", 60)

    def _look_at_writers(self, old: int) -> None:
        """The old one wrote before and after the new one was seen to write: both did at that moment."""
        for new in _children(self.master.process.pid):
            both = new != old and _writes(old, self._state_dir) and _writes(new, self._state_dir)
            if both and _writes(old, self._state_dir):
                self.writers.append(f"the processes {old} and {new} wrote the same state")


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _writes(pid: int, state_dir: Path) -> bool:
    """Whether the process has a journal segment open."""
    return any(
        link.parent == state_dir / "journal" and link.suffix == ".journal" for link in _open_files(pid)
    )


def _open_files(pid: int) -> Iterator[Path]:
    with suppress(OSError):
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                yield fd.readlink()
