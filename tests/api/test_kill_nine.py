"""kill -9 of the master, 50 times while jobs are submitted and finished, loses and doubles nothing."""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.api.corner import got
from tests.masters import Client, Master, free_port, launch_master, wait_until

KILLS = 50
CLIENTS = 4


class Ledger:
    """What the master acknowledged to all clients, and what it must never do after it."""

    def __init__(self) -> None:
        self.jobs: set[str] = set()
        self.results: dict[str, int] = {}
        self.wrong: list[str] = []
        self.ended = threading.Event()
        self._frames = itertools.count(1)
        self._lock = threading.Lock()

    def submitted(self, job: dict[str, Any]) -> None:
        with self._lock:
            self.jobs.add(job["id"])

    def claimed(self, job: dict[str, Any]) -> int:
        """A number of frames that no other attempt reports."""
        with self._lock:
            if job["id"] in self.results:
                self.wrong.append(f"job {job['id']} was given out after its result was acknowledged")
            return next(self._frames)

    def finished(self, job: dict[str, Any], frames: int) -> None:
        with self._lock:
            if job["id"] in self.results:
                self.wrong.append(f"job {job['id']} was completed twice")
            self.results[job["id"]] = frames

    def refused(self, what: str, answer: requests.Response) -> None:
        with self._lock:
            self.wrong.append(f"{what}: {answer.status_code} {answer.text}")

    @property
    def acknowledged(self) -> int:
        return len(self.jobs) + len(self.results)

    def has(self, enough: int) -> bool:
        return self.acknowledged >= enough


class Worker(threading.Thread):
    """Submits, claims and reports, over and over; what was not answered is asked again."""

    def __init__(self, client: Client, node_id: str, ledger: Ledger) -> None:
        super().__init__(name=f"worker {node_id}")
        self.client = client
        self.node_id = node_id
        self.ledger = ledger

    def run(self) -> None:
        while not self.ledger.ended.is_set():
            if (answer := self.ask("POST", "/jobs", json={"scenario": "720p-h264"})) is not None:
                self.ledger.submitted(answer)
            # No lease is known: one that was answered into the void is given again.
            query = {"node_id": self.node_id, "leases": ""}
            claim = self.ask("GET", "/jobs/next", params=query)
            if claim is not None and claim["job"] is not None:
                self.finish(claim["job"])

    def finish(self, job: dict[str, Any]) -> None:
        frames = self.ledger.claimed(job)
        report = {
            "job_id": job["id"],
            "node_id": self.node_id,
            "lease_id": job["lease_id"],
            "attempt": job["attempt"],
            "metrics": {"frames": frames},
        }
        while not self.ledger.ended.is_set():
            if self.ask("POST", "/results", json=report) is not None:
                self.ledger.finished(job, frames)
                return

    def ask(self, method: str, path: str, **what: Any) -> dict[str, Any] | None:
        """The answer; None if there was none. A refusal has no place here."""
        try:
            answer = self.client.request(method, path, **what)
        except requests.RequestException:
            self.ledger.ended.wait(0.02)
            return None
        if not answer.ok:
            self.ledger.refused(path, answer)
            return None
        found: dict[str, Any] = answer.json()
        return found


class Victim:
    """A master that is killed and started again, always on the same port and state."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.port = free_port()
        self.master = self._start().ready()

    def _start(self) -> Master:
        return launch_master(self.state_dir, port=self.port, lease="1h", heartbeat_timeout="1h")

    def kill(self, n: int) -> None:
        """Mostly all of it; now and then one process only, or all of it while it is starting."""
        if n % 10 == 3:
            worker = self.master.worker_pid()
            assert worker is not None
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda: self.master.worker_pid() not in (None, worker), "there is another worker")
        else:
            self.master.kill(worker_too=n % 10 != 6)
            self.master = self._start()
            if n % 10 == 9:
                wait_until(self.master.worker_pid, "the worker is starting")
                self.master.kill()
                self.master = self._start()
        self.master.ready()


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    victim = Victim(tmp_path / "state")
    yield victim
    with suppress(ProcessLookupError):
        os.killpg(victim.master.process.pid, signal.SIGKILL)
    victim.master.process.wait()


def all_pages(client: Client, path: str, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    answer: dict[str, Any] = {"next": None}
    while not found or answer["next"] is not None:
        query = {"after": answer["next"]} if answer["next"] else {}
        answer = got(client.get(path, params=query))
        found += answer[key]
    return found


def test_nothing_acknowledged_is_missing_and_nothing_is_completed_twice(victim: Victim) -> None:
    ledger, chance = Ledger(), random.Random(9)
    with victim.master.client() as client:
        nodes = [got(client.post("/nodes/register", json={"address": "n"}), 201) for _ in range(CLIENTS)]
    workers = [Worker(victim.master.client(), node["id"], ledger) for node in nodes]
    for worker in workers:
        worker.start()
    try:
        for n in range(KILLS):
            enough = ledger.acknowledged + chance.randrange(1, 25)
            wait_until(partial(ledger.has, enough), "the clients get on")
            victim.kill(n)
    finally:
        ledger.ended.set()
        for worker in workers:
            worker.join()
            worker.client.close()
    with victim.master.client() as client:
        jobs = {job["id"]: job for job in all_pages(client, "/jobs", "jobs")}
        results = all_pages(client, "/results", "results")
        completed = [got(client.get(f"/jobs/{result['job_id']}")) for result in results]
    print(f"{KILLS} kills: {len(ledger.jobs)} jobs and {len(ledger.results)} results were acknowledged")  # noqa: T201 - the counts are wanted with -s
    assert ledger.wrong == []
    assert ledger.jobs <= set(jobs)
    frames = {result["job_id"]: result["metrics"]["frames"] for result in results}
    assert len(frames) == len(results)
    assert ledger.results.items() <= frames.items()
    assert len(set(frames.values())) == len(frames)
    for job in completed:
        assert [attempt["outcome"] for attempt in job["attempts"]].count("completed") == 1
    # A submit or report without an answer may have been taken, one of each client and kill.
    assert len(jobs) - len(ledger.jobs) <= KILLS * CLIENTS
    assert len(frames) - len(ledger.results) <= CLIENTS
