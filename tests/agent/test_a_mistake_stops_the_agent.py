"""An agent whose threads fail ends and says so: it does not idle for ever."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from agent.config import Config
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.loop import Agent
from agent.outbox import Outbox
from common.address import Address


class BrokenLink:
    """A master whose answers this agent does not understand."""

    def __init__(self, poll: Any, heartbeat: Any) -> None:
        self.term, self.instance = 60.0, "instance"
        self.poll, self.heartbeat, self.left = poll, heartbeat, False

    def persist(self, *_: object) -> Any:
        return self.poll, 0.0

    def call(self, _: object) -> Any:
        return 0.0, self.heartbeat

    def leave(self) -> None:
        self.left = True


@pytest.mark.parametrize(
    ("poll", "heartbeat"), [({"unknown": "shape"}, {"leases": []}), (None, {"unknown": "shape"})]
)
def test_an_answer_that_makes_no_sense_ends_the_agent(
    poll: Any,
    heartbeat: Any,
    tmp_path: Path,
    toolbox: Toolbox,
    spawner: Spawner,
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = Config(Address("localhost", 1), "node", tmp_path, tmp_path, {}, heartbeat_interval=0.01)
    link: Any = BrokenLink(poll, heartbeat)
    stop = threading.Event()
    agent = Agent(config, link, toolbox, spawner, Outbox(tmp_path / "outbox"), slots=1)
    assert agent.run(stop) == "stopped by a mistake of its own; the log above says where"
    assert stop.is_set()
    assert link.left
    assert "The agent made a mistake, and stops" in caplog.text
