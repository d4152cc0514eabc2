"""An agent says goodbye, which hands back what it holds, unless a finished job of it waits to be reported."""

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
from common.model import JobStatus, Report


class Link:
    """A master that answers, and has no job."""

    term, instance, node_id = 60.0, "instance-1", "node-1"

    def __init__(self) -> None:
        self.left = False

    def persist(self, *_: object) -> Any:
        return None

    def call(self, _: object) -> Any:
        return 0.0, {"leases": []}

    def leave(self) -> None:
        self.left = True


@pytest.mark.parametrize("unsent", [False, True])
def test_it_leaves_only_when_all_is_reported(
    unsent: bool, tmp_path: Path, toolbox: Toolbox, spawner: Spawner
) -> None:
    outbox = Outbox(tmp_path / "outbox")
    if unsent:
        outbox.keep(Report("job-1", "node-1", JobStatus.COMPLETED, "lease-1", 1), "instance-1")
    link: Any = Link()
    stop = threading.Event()
    stop.set()
    config = Config(Address("localhost", 1), "node", tmp_path, tmp_path, {})
    assert Agent(config, link, toolbox, spawner, outbox, slots=1).run(stop) is None
    assert link.left is not unsent
