"""A master that is under load, and is gone with the test."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.disk.support import Load
from tests.masters import Master, start_master

Start = Callable[[Path], Master]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts masters that expire nothing, with few threads, so that each of them syncs often."""
    masters: list[Master] = []

    def start(state_dir: Path) -> Master:
        masters.append(start_master(state_dir, lease="1h", heartbeat_timeout="1h", threads=4))
        return masters[-1]

    yield start
    for master in masters:
        with suppress(ProcessLookupError):
            os.killpg(master.process.pid, signal.SIGKILL)
        master.process.wait()


@pytest.fixture
def load_on() -> Iterator[Callable[[Master], Load]]:
    loads: list[Load] = []

    def begin(master: Master) -> Load:
        loads.append(Load(master).start())
        return loads[-1]

    yield begin
    for load in loads:
        load.end()
