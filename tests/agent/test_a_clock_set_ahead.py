"""A clock that is set ahead while the agent runs makes no output old: they go by size only."""

from __future__ import annotations

import os
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

import agent.loop
from agent.config import Config
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.loop import Agent
from agent.outbox import Outbox
from agent.outputs import Clocks
from common.address import Address
from tests.agent.conftest import wait_until
from tests.agent.test_goodbye import Link

DAY = 86_400.0


def output(work_dir: Path, days: float) -> Path:
    """The output of a job, as old as that."""
    path = work_dir / str(uuid.uuid4()) / "480p-h264.mp4"
    path.parent.mkdir()
    path.write_bytes(b"0123456789")
    os.utime(path, (time.time() - days * DAY,) * 2)
    return path


def test_what_was_written_a_moment_ago_stays_and_the_size_is_kept_to(
    tmp_path: Path,
    toolbox: Toolbox,
    spawner: Spawner,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    older, new = output(tmp_path, days=1), output(tmp_path, days=0)
    now = time.time()
    readings = [Clocks(now, 0.0), Clocks(now + 365 * DAY, 300.0)]
    monkeypatch.setattr(agent.loop, "_clocks", lambda: readings.pop(0))
    config = Config(Address("localhost", 1), "node", tmp_path, tmp_path, {}, keep_outputs_size=10)
    link: Any = Link()
    stop = threading.Event()
    worker = Agent(config, link, toolbox, spawner, Outbox(tmp_path / "outbox"), slots=1)
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    gone = wait_until(lambda: not older.exists())
    stop.set()
    thread.join(20)
    assert wait_until(lambda: all(each.name != "tidy" for each in threading.enumerate()))
    assert gone
    assert new.exists()
    assert "The clock was set ahead" in caplog.text
