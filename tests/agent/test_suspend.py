"""A child is suspended while it may not work; that time counts for nothing, and an abort ends it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.ffmpeg.limits import Limits, WorkClock
from agent.ffmpeg.process import Ended, run
from agent.ffmpeg.spawner import Spawner
from common.model import Progress
from tests.agent.conftest import wait_until

COUNTS = """
import os, sys, time
print(os.getpid(), file=sys.stderr, flush=True)
for n in range(1, {frames} + 1):
    print(f'frame={{n}}\\nprogress=continue', flush=True)
    time.sleep(0.05)
"""
PATIENT = Limits(first=60, stall=60, last=60, total=60)


class Child:
    """A counting child that runs in a thread; it works while `may_work` is set."""

    def __init__(self, spawner: Spawner, cwd: Path, frames: int, limits: Limits) -> None:
        self.may_work, self.abort = threading.Event(), threading.Event()
        self.may_work.set()
        self.frame, self.pid, self.asked = 0, 0, 0
        self.ended: Ended | None = None
        self._argv = [sys.executable, "-S", "-c", COUNTS.format(frames=frames)]
        self._thread = threading.Thread(target=self._run, args=(spawner, cwd, limits))
        self._thread.start()

    def _run(self, spawner: Spawner, cwd: Path, limits: Limits) -> None:
        self.ended = run(
            spawner,
            self._argv,
            cwd,
            limits=limits,
            abort=self.abort,
            may_work=self._may_work,
            on_progress=self._told,
        )

    def _may_work(self) -> bool:
        self.asked += 1
        return self.may_work.is_set()

    def _told(self, progress: Progress, lines: list[str]) -> None:
        self.frame = progress.frame or 0
        if lines and not self.pid:
            self.pid = int(lines[0])

    def stopped(self) -> bool:
        stat = Path(f"/proc/{self.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "T"

    def end(self) -> Ended:
        self._thread.join(30)
        assert self.ended is not None
        return self.ended


@pytest.fixture
def children() -> Iterator[list[Child]]:
    children: list[Child] = []
    yield children
    for child in children:
        child.abort.set()
        child.end()


def start(
    spawner: Spawner, cwd: Path, children: list[Child], frames: int = 100_000, limits: Limits = PATIENT
) -> Child:
    child = Child(spawner, cwd, frames, limits)
    children.append(child)
    assert wait_until(lambda: child.frame > 0)
    return child


def test_it_stops_and_goes_on_with_nothing_lost(
    spawner: Spawner, tmp_path: Path, children: list[Child]
) -> None:
    child = start(spawner, tmp_path, children, frames=60)
    child.may_work.clear()
    assert wait_until(child.stopped)
    child.may_work.set()
    ended = child.end()
    assert (ended.why, ended.returncode, child.frame) == (None, 0, 60)


def test_being_suspended_is_no_stall_and_takes_no_time(
    spawner: Spawner, tmp_path: Path, children: list[Child]
) -> None:
    begun = time.monotonic()
    # It takes 3 seconds. With those that it is suspended, it would pass each of these limits.
    short = Limits(first=20, stall=1.5, last=1.5, total=5.5)
    child = start(spawner, tmp_path, children, frames=60, limits=short)
    child.may_work.clear()
    assert wait_until(child.stopped)
    asked = child.asked
    assert wait_until(lambda: child.asked > asked + 30)  # ten times in a second
    assert child.stopped()
    child.may_work.set()
    ended = child.end()
    assert (ended.why, ended.returncode) == (None, 0)
    assert ended.wall_seconds < time.monotonic() - begun - 2.9


def test_an_abort_kills_it_although_it_is_suspended(
    spawner: Spawner, tmp_path: Path, children: list[Child]
) -> None:
    child = start(spawner, tmp_path, children)
    child.may_work.clear()
    assert wait_until(child.stopped)
    child.abort.set()
    ended = child.end()
    assert (ended.why, ended.signal) == ("aborted", 9)


def test_a_child_that_may_not_work_does_not_begin(
    spawner: Spawner, tmp_path: Path, children: list[Child]
) -> None:
    told: list[Progress] = []
    abort = threading.Event()

    def tell(progress: Progress, _lines: list[str]) -> None:
        told.append(progress)
        if len(told) == 2:
            abort.set()

    argv = [sys.executable, "-S", "-c", COUNTS.format(frames=100)]
    ended = run(
        spawner, argv, tmp_path, limits=PATIENT, abort=abort, may_work=lambda: False, on_progress=tell
    )
    assert ended.why == "aborted"
    assert {progress.frame for progress in told} == {None}
    assert ended.wall_seconds < 1


def test_the_clock_of_its_work_stands_still_while_it_is_suspended() -> None:
    clock = WorkClock()
    assert clock.read(100.0) == 100.0
    clock.suspend(110.0)
    assert (clock.stands, clock.read(500.0)) == (True, 110.0)
    clock.resume(1000.0)
    assert (clock.stands, clock.read(1005.0)) == (False, 115.0)
    clock.suspend(1010.0)
    clock.resume(1011.0)
    assert clock.read(1011.0) == 120.0
