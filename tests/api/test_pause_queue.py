"""`POST /queue/pause` stops giving jobs out, `/resume` goes on, and `GET /queue` says how it stands."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.model import JobStatus
from tests.api.corner import Corner, got, park
from tests.masters import Client, Master


@pytest.fixture
def paused(client: Client) -> Iterator[None]:
    assert got(client.post("/queue/pause"))["paused"]
    yield
    assert not got(client.post("/queue/resume"))["paused"]


def test_the_queue_counts_the_jobs_of_each_status(corner: Corner) -> None:
    before = got(corner.client.get("/queue"))
    assert list(before["jobs"]) == list(JobStatus)
    corner.start()
    after = got(corner.client.get("/queue"))
    assert after["jobs"]["running"] == before["jobs"]["running"] + 1
    assert after["paused"] is False


@pytest.mark.usefixtures("paused")
def test_a_paused_queue_takes_jobs_and_gives_none(corner: Corner) -> None:
    job, node = corner.submit(), corner.register()
    assert corner.poll(node["id"])["job"] is None
    assert "ffrtmp queue resume" in corner.job(job["id"])["pending_reason"]
    got(corner.client.post("/queue/resume"))
    assert corner.poll(node["id"])["id"] == job["id"]


@pytest.mark.usefixtures("paused")
def test_resuming_wakes_a_poll_that_waits(corner: Corner, master: Master) -> None:
    job, node = corner.submit(), corner.register()
    with ThreadPoolExecutor(1) as pool:
        answer = park(master, corner, pool, node)
        got(corner.client.post("/queue/resume"))
        response, _ = answer.result(20)
        assert got(response)["id"] == job["id"]


@pytest.mark.usefixtures("paused")
def test_jobs_that_come_while_it_is_paused_wait_and_so_do_the_polls(corner: Corner, master: Master) -> None:
    nodes = [corner.register() for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        answers = [park(master, corner, pool, node) for node in nodes]
        jobs = {corner.submit()["id"] for _ in range(2)}
        assert not any(answer.done() for answer in answers)
        got(corner.client.post("/queue/resume"))
        assert {got(answer.result(20)[0])["id"] for answer in answers} == jobs
