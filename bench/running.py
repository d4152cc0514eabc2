"""Measures a row: starts its subjects, looks at each in turn, and gives up when its time is over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import FrameType

import psutil

from bench.machine import described
from bench.rig import Conditions, Look, NotThereError, Result, Row, Sample, Taken, interleaved
from common.version import VERSION

ROOT = Path(__file__).parents[1]
_LOOK = 0.5
"""Seconds for which the machine is looked at before and behind a row."""


class LateError(Exception):
    """The row's time is over."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """LateError inside when so many seconds have passed. Only in the main thread."""

    def late(_number: int, _frame: FrameType | None) -> None:
        raise LateError(f"it took more than {seconds:g} s")

    before, begun = signal.signal(signal.SIGALRM, late), time.monotonic()
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:  # somebody around us has a limit, too
            signal.setitimer(signal.ITIMER_REAL, max(0.001, left - (time.monotonic() - begun)))


def measure(row: Row, quick: bool, folder: Path, command: str) -> Result:
    """All samples of a row; what went wrong is told in the result. `folder` is empty."""
    before, load = busy(), os.getloadavg()[0]
    begun = time.monotonic()
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    samples: dict[str, list[Sample]] = {subject.name: [] for subject in row.subjects}
    missing: dict[str, str] = {}
    error = None
    try:
        with limited(row.limit), ExitStack() as stack:
            looks = _open(row, folder, stack, missing)
            _look(row, quick, looks, samples)
    except (KeyboardInterrupt, SystemExit):
        raise
    # A row that fails is told so, and the others are measured.
    except BaseException as problem:  # noqa: BLE001 - pytest's own failures are no Exceptions
        error = f"{type(problem).__name__}: {problem}".splitlines()[0][:300]
    seconds = round(time.monotonic() - begun, 1)
    loads = (round(load, 1), round(os.getloadavg()[0], 1))
    others = (before, busy())
    taken = tuple(
        Taken(subject.name, tuple(samples[subject.name]), missing.get(subject.name))
        for subject in row.subjects
    )
    conditions = Conditions(at, command, loads, others, quick, seconds, described(), version())
    return Result(row.key, row.title, row.note, taken, conditions, error)


def busy() -> float:
    """How much of the machine is in use now, 0 to 1."""
    return round(psutil.cpu_percent(_LOOK) / 100, 3)


def _open(row: Row, folder: Path, stack: ExitStack, missing: dict[str, str]) -> dict[str, Look]:
    looks = {}
    for number, subject in enumerate(row.subjects):
        place = folder / str(number)
        place.mkdir()
        try:
            looks[subject.name] = stack.enter_context(subject.opened(place))
        except NotThereError as absent:
            missing[subject.name] = str(absent)
    return looks


def _look(row: Row, quick: bool, looks: dict[str, Look], samples: dict[str, list[Sample]]) -> None:
    names = list(looks)
    for place in interleaved(len(names), row.rounds(quick)):
        sample = looks[names[place]]()
        samples[names[place]].append(sample)
        more = "".join(f"  {name} {value:.4g}" for name, value in sample.more.items())
        print(f"    {names[place]:40} {sample.value:12.4g} {row.unit}{more}", file=sys.stderr, flush=True)


@cache
def version() -> str:
    """The program's, with the commit that was checked out as the run began, and if it was changed."""
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=10", "--match="]
    try:
        found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return VERSION
    return f"{VERSION} ({found})"
