"""An agent whose threads fail ends and says so: it does not idle for ever."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from agent.config import Config
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.process import Spawner
from agent.loop import Agent
from common.client import Address


class BrokenLink:
    """A master whose answers this agent does not understand."""

    terms: dict[str, Any] = {}  # noqa: RUF012 - nobody changes it

    def persist(self, *_: object) -> dict[str, Any]:
        return {"unknown": "shape"}

    def call(self, _: object) -> dict[str, Any]:
        return {"leases": []}

    def leave(self) -> None:
        pass


def test_an_answer_that_makes_no_sense_ends_the_agent(
    tmp_path: Path, toolbox: Toolbox, spawner: Spawner, caplog: pytest.LogCaptureFixture
) -> None:
    config = Config(Address("localhost", 1), "node", tmp_path, tmp_path, {})
    link: Any = BrokenLink()
    stop = threading.Event()
    assert Agent(config, link, toolbox, spawner, slots=1).run(stop) is False
    assert stop.is_set()
    assert "The agent made a mistake, and stops" in caplog.text
