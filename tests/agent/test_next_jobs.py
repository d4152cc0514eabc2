"""An agent gets its next job with the answer to a report, and as many at once as it has free slots."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from agent.assigned import assignment_of
from agent.config import Config
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.loop import Agent
from agent.outbox import Outbox
from agent.running import RunningJob
from common.address import Address
from common.model import JobStatus, Report

NEWER = {"max_claims": 100}
"""Of the terms of a master that knows how; an older one has no such field."""


def job(name: str) -> dict[str, Any]:
    return {
        "id": f"job-{name}",
        "scenario": "480p-h264",
        "parameters": {"duration": 0.1},
        "lease_id": f"lease-{name}",
        "attempt": 1,
    }


class Master:
    """Answers polls and reports as it is told, and notes them. Stands for the link and its client."""

    term, instance, node_id = 60.0, "instance-1", "node-1"

    def __init__(
        self, *polled: Sequence[dict[str, Any]], following: Sequence[Any], terms: Mapping[str, Any] = NEWER
    ) -> None:
        """`polled`: what each poll is answered; `following`: the same of each report, or what is raised."""
        self.client = self
        self.terms = terms
        self.requests: list[tuple[Any, ...]] = []
        self.at_rest = threading.Event()
        self._polled, self._following = list(polled), list(following)

    def persist(self, action: Callable[[], Any], what: str, stop: threading.Event) -> Any:
        if what == "ask for a job" and not self._polled:
            self.at_rest.set()
            stop.wait()
            return None
        try:
            return action()
        except requests.ConnectionError:  # as `retry` does it
            return action()

    def call(self, action: Callable[[], Any]) -> Any:
        return action()

    def heartbeat(self, _node_id: str, leases: list[str], **_: Any) -> dict[str, Any]:
        return {"leases": leases, **self.terms}

    def progress(self, *_: Any) -> dict[str, Any]:
        return {}

    def next_jobs(self, _node_id: str, leases: list[str], _wait: float, most: int) -> list[dict[str, Any]]:
        self.requests.append(("poll", leases, most))
        return list(self._polled.pop(0))

    def report(self, report: Report, _log: Any, leases: list[str] | None) -> dict[str, Any]:
        assert report.error is None
        self.requests.append(("report", report.job_id, leases))
        following = self._following.pop(0)
        if isinstance(following, Exception):
            raise following
        return dict(following)

    def leave(self) -> None:
        pass


@pytest.fixture
def work(tmp_path: Path, toolbox: Toolbox, spawner: Spawner) -> Callable[..., Any]:
    @contextmanager
    def work(master: Any, slots: int = 1) -> Iterator[Agent]:
        """Until it has nothing left to do."""
        config = Config(Address("localhost", 1), "node", tmp_path, tmp_path, {})
        agent = Agent(config, master, toolbox, spawner, Outbox(tmp_path / "outbox"), slots)
        stop = threading.Event()
        thread = threading.Thread(target=agent.run, args=(stop,))
        thread.start()
        try:
            yield agent
        finally:
            stop.set()
            thread.join(30)
            assert not thread.is_alive()

    return work


def test_the_job_in_the_answer_to_a_report_is_run_without_a_poll(work: Callable[..., Any]) -> None:
    master = Master([job("a")], following=[{"next": job("b")}, {"next": job("c")}, {"next": None}])
    with work(master):
        assert master.at_rest.wait(60)
    assert master.requests == [
        ("poll", [], 1),
        ("report", "job-a", ["lease-a"]),
        ("report", "job-b", ["lease-b"]),
        ("report", "job-c", ["lease-c"]),
    ]


def test_of_an_older_master_each_job_is_polled_for(work: Callable[..., Any]) -> None:
    master = Master([job("a")], [job("b")], following=[{}, {}], terms={})
    with work(master, slots=3):
        assert master.at_rest.wait(60)
    assert [request[2] for request in master.requests if request[0] == "poll"] == [1, 1]


def test_a_poll_asks_for_as_many_jobs_as_slots_are_free(work: Callable[..., Any]) -> None:
    master = Master([job("a"), job("b")], [job("c")], following=[{"next": None}] * 3)
    with work(master, slots=3):
        assert master.at_rest.wait(60)
    polls = [request for request in master.requests if request[0] == "poll"]
    assert polls[0] == ("poll", [], 3)
    # Those that run leave one free, unless they have ended meanwhile.
    assert polls[1][2] == 3 - len(polls[1][1])


def test_when_the_answer_is_lost_it_says_again_what_it_holds(work: Callable[..., Any]) -> None:
    lost = requests.ConnectionError("the answer is lost")
    master = Master([job("a")], following=[lost, {"next": job("b")}, {"next": None}])
    with work(master):
        assert master.at_rest.wait(60)
    assert [request[1:] for request in master.requests if request[0] == "report"] == [
        ("job-a", ["lease-a"]),
        ("job-a", ["lease-a"]),
        ("job-b", ["lease-b"]),
    ]


def test_a_job_that_is_given_twice_is_run_once(work: Callable[..., Any]) -> None:
    # As of a poll that was under way while a report was answered, and the other way round.
    master = Master([job("a")], [job("b"), job("a")], following=[{"next": job("b")}, {"next": job("a")}])
    with work(master):
        assert master.at_rest.wait(60)
    assert [request[1] for request in master.requests if request[0] == "report"] == ["job-a", "job-b"]


def test_while_it_drains_it_asks_for_no_other_job(work: Callable[..., Any]) -> None:
    master = Master(following=[{"next": None}, {}])
    running = RunningJob(assignment_of(job("a")), 0.0)
    report = Report("job-a", "node-1", JobStatus.COMPLETED, "lease-a", 1)
    with work(master) as agent:
        assert agent._send(report, [], running)
        agent._draining.set()
        assert agent._send(report, [], running)
    assert master.requests == [("report", "job-a", []), ("report", "job-a", None)]
