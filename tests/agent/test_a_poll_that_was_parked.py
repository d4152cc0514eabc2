"""A job that was given after a long wait is made sure of by a heartbeat before its encode begins."""

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
from agent.running import is_fresh, lease_clock
from common.address import Address

TERM = 60.0
JOB = {
    "id": "job-1",
    "scenario": "480p-h264",
    "parameters": {"duration": 0.1},
    "lease_id": "lease-1",
    "attempt": 1,
}


class Master:
    """Gives one job, and writes down which requests come. Stands for the link and its client."""

    term, instance, node_id = TERM, "instance-1", "node-1"
    terms: dict[str, Any]

    def __init__(self, parked: float) -> None:
        """`parked`: how many seconds ago the poll was sent that is answered with the job."""
        self.client = self
        self.requests: list[str] = []
        self.done = threading.Event()
        self._job: Any = ([JOB], lease_clock() - parked)

    def persist(self, action: Any, what: str, stop: threading.Event) -> Any:
        if what == "send results":
            self.done.set()
            return action()
        job, self._job = self._job, None
        if job is None:
            stop.wait()
        return job

    def call(self, action: Any) -> Any:
        return action()

    def heartbeat(self, _node_id: str, leases: list[str], **_: Any) -> dict[str, Any]:
        self.requests.append("heartbeat")
        return {"leases": leases}

    def progress(self, *_: Any) -> dict[str, Any]:
        self.requests.append("progress")
        return {}

    def report(self, *_: Any) -> dict[str, Any]:
        self.requests.append("report")
        return {}

    def leave(self) -> None:
        pass


@pytest.mark.parametrize(("parked", "sent"), [(0.0, False), (TERM / 2, True), (TERM, True)])
def test_a_heartbeat_comes_first_if_a_third_of_the_term_is_over(
    parked: float,
    sent: bool,
    tmp_path: Path,
    toolbox: Toolbox,
    spawner: Spawner,
    caplog: pytest.LogCaptureFixture,
) -> None:
    master: Any = Master(parked)
    config = Config(Address("localhost", 1), "node", tmp_path, tmp_path, {})
    agent = Agent(config, master, toolbox, spawner, Outbox(tmp_path / "outbox"), slots=1)
    stop = threading.Event()
    thread = threading.Thread(target=agent.run, args=(stop,))
    thread.start()
    try:
        assert master.done.wait(30)
    finally:
        stop.set()
        thread.join(30)
    assert (master.requests[0] == "heartbeat") is sent
    assert "is suspended" not in caplog.text


def test_a_lease_is_fresh_for_a_third_of_its_term() -> None:
    assert is_fresh(1000.0, 90.0, 1029.9)
    assert not is_fresh(1000.0, 90.0, 1030.0)
