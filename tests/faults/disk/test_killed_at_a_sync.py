"""A master that is killed at the very moment it syncs has lost nothing that was acknowledged."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.disk.conftest import Start
from tests.faults.disk.support import Load, injected, strace
from tests.masters import MASTER, ROOT, Master, free_port, wait_until

KERNEL = "io_submit:signal=KILL:when={}"
THREAD = "fdatasync:signal=KILL:when={}"
"""A thread syncs what the kernel does not take."""


@pytest.mark.parametrize(("call", "count"), [(KERNEL, 1), (KERNEL, 3), (KERNEL, 8), (THREAD, 1), (THREAD, 5)])
def test_under_load(
    tmp_path: Path, start: Start, load_on: Callable[[Master], Load], call: str, count: int
) -> None:
    master = start(tmp_path / "state")
    load = load_on(master)
    load.more(20)
    worker = master.worker_pid()
    assert worker is not None
    refused = [] if call is KERNEL else ["io_submit:error=EAGAIN"]
    with injected(worker, *refused, call.format(count)):
        wait_until(lambda: master.worker_pid() not in (None, worker), "the worker was killed and replaced")
    load.more(20)  # from the worker that took its place
    load.end()
    load.is_all_there(master)
    master.kill()
    load.is_all_there(start(tmp_path / "state"))


@pytest.mark.parametrize("call", ["fdatasync:1", "fsync:1", "fsync:2", "fsync:3"])
def test_while_it_starts(tmp_path: Path, start: Start, load_on: Callable[[Master], Load], call: str) -> None:
    """Each worker that its parent starts is killed at the same place; then the next master starts."""
    master = start(tmp_path / "state")
    load = load_on(master)
    load.more(20)
    load.end()
    master.kill()
    name, count = call.split(":")
    traced = strace(f"{name}:signal=KILL:when={count}")
    log = tmp_path / "strace.log"
    with log.open("wb") as file:
        starting = subprocess.Popen(
            [*traced, *MASTER, f"--state-dir={tmp_path / 'state'}", f"--port={free_port()}"],
            cwd=ROOT,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        wait_until(lambda: log.read_bytes().count(b"killed by SIGKILL") >= 2, "it was killed twice", 40)
    finally:
        os.killpg(starting.pid, signal.SIGKILL)
        starting.wait()
    load.is_all_there(start(tmp_path / "state"))
