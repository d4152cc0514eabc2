"""Who queues too much is told to wait: the master keeps a bounded queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from common import problems
from tests.api.corner import got, refused
from tests.masters import Client, Master, start_master

JOB = {"scenario": "720p-h264"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    """A master that keeps ten waiting jobs."""
    running = start_master(tmp_path_factory.mktemp("small") / "state", max_pending_jobs=10)
    yield running
    assert running.stop() == 0


@pytest.fixture
def client(small: Master) -> Iterator[Client]:
    with small.client() as client:
        yield client


def test_a_full_queue_takes_nothing_more_and_loses_nothing(client: Client) -> None:
    batch = {"jobs": [JOB] * 8}
    key = {"Idempotency-Key": "the-first"}
    queued = got(client.post("/jobs/batch", json=batch, headers=key), 201)["jobs"]
    answer = client.post("/jobs/batch", json={"jobs": [JOB] * 3})
    assert "--max-pending-jobs" in refused(answer, problems.TOO_MANY)["detail"]
    assert int(answer.headers["Retry-After"]) > 0
    got(client.post("/jobs", json=JOB), 201)
    got(client.post("/jobs", json=JOB), 201)
    refused(client.post("/jobs", json=JOB), problems.TOO_MANY)
    # A repeat asks for nothing new.
    again = got(client.post("/jobs/batch", json=batch, headers=key), 201)["jobs"]
    assert [job["id"] for job in again] == [job["id"] for job in queued]
    assert got(client.get("/jobs"))["count"] == 10
    got(client.post(f"/jobs/{queued[0]['id']}/cancel"))
    got(client.post("/jobs", json=JOB), 201)


def test_a_submitter_that_is_too_quick_waits_and_nobody_waits_with_it(tmp_path: Path) -> None:
    master = start_master(tmp_path / "state", submit_rate=1)
    try:
        with master.client() as operator:
            tokens = [
                got(operator.post("/tokens", json={"role": "submitter", "name": name}), 201)["token"]
                for name in ("alice", "bob")
            ]
            with master.client(tokens[0]) as alice, master.client(tokens[1]) as bob:
                key = {"Idempotency-Key": "all-at-once"}
                batch = {"jobs": [JOB] * 200}
                got(alice.post("/jobs/batch", json=batch, headers=key), 201)
                answer = alice.post("/jobs", json=JOB)
                wait = refused(answer, problems.TOO_MANY)["retry_after"]
                assert answer.headers["Retry-After"] == str(wait)
                assert 90 <= wait <= 110
                got(alice.post("/jobs/batch", json=batch, headers=key), 201)
                assert got(alice.get("/jobs", params={"limit": 1}))["count"] == 200
                got(bob.post("/jobs", json=JOB), 201)
            got(operator.post("/jobs/batch", json={"jobs": [JOB] * 200}), 201)
    finally:
        assert master.stop() == 0
