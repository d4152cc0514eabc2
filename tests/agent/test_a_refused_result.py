"""A report that the master refuses is not made again and again: the job fails, and says why."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from agent.config import Config
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.process import Spawner
from agent.loop import Agent
from common.client import Address, ApiError
from common.model import JobStatus, Report


class Master:
    """Refuses reports with metrics; keeps the others."""

    def __init__(self, status: int, slug: str) -> None:
        self.client = self
        self.refusal = ApiError(status, {"type": f"urn:ffrtmp:problem:{slug}", "detail": "no"})
        self.accepted: list[Report] = []
        self.asked = 0

    def persist(self, action: Any, _what: str, _stop: threading.Event) -> Any:
        return action()

    def report(self, report: Report, _log: list[str]) -> dict[str, Any]:
        self.asked += 1
        if report.metrics:
            raise self.refusal
        self.accepted.append(report)
        return {}


@pytest.fixture
def report() -> Report:
    return Report("job-1", "node-1", JobStatus.COMPLETED, "lease-1", 1, metrics={"frames": 30})


def deliver(master: Master, report: Report, toolbox: Toolbox, spawner: Spawner, directory: Path) -> None:
    link: Any = master
    config = Config(Address("localhost", 1), "node", directory, directory, {})
    Agent(config, link, toolbox, spawner, slots=1)._deliver(report, [])


@pytest.mark.parametrize(("status", "slug"), [(400, "invalid"), (413, "too_large")])
def test_the_job_fails_with_the_masters_reason(
    status: int, slug: str, report: Report, toolbox: Toolbox, spawner: Spawner, tmp_path: Path
) -> None:
    master = Master(status, slug)
    deliver(master, report, toolbox, spawner, tmp_path)
    (bare,) = master.accepted
    assert (bare.status, bare.lease_id) == (JobStatus.FAILED, "lease-1")
    assert bare.error is not None
    assert (bare.error.code, bare.error.message) == ("agent_error", "the master refused the result: no")


@pytest.mark.parametrize("slug", ["stale_lease", "result_mismatch", "unknown_job"])
def test_a_result_that_nobody_wants_is_dropped(
    slug: str, report: Report, toolbox: Toolbox, spawner: Spawner, tmp_path: Path
) -> None:
    master = Master(409, slug)
    deliver(master, report, toolbox, spawner, tmp_path)
    assert (master.asked, master.accepted) == (1, [])
