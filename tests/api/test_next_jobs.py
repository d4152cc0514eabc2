"""`GET /jobs/next?max=N` leases several jobs at once, each by the rules by which one is leased."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.client import PROTOCOL_HEADER
from common.version import PROTOCOL
from tests.api.corner import Corner, got, refused_fields
from tests.masters import Master, wait_until


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_the_answer_is_a_list_and_its_jobs_are_as_one_alone_would_be(corner: Corner) -> None:
    one, many = (corner.register(max_concurrent_jobs=4)["id"] for _ in range(2))
    for _ in range(3):
        corner.submit()
    alone = corner.poll(one)["job"]
    answer = corner.poll(many, max=4)
    assert (set(answer), answer["count"], len(answer["jobs"])) == ({"jobs", "count"}, 2, 2)
    assert all(set(job) == set(alone) for job in answer["jobs"])
    assert len({job["lease_id"] for job in answer["jobs"]}) == 2
    for job in answer["jobs"]:
        assert (job["node_id"], job["attempt"], corner.job(job["id"])["status"]) == (many, 1, "running")


def test_a_node_gets_no_more_than_it_asks_for_nor_than_it_has_slots(corner: Corner) -> None:
    node = corner.register(max_concurrent_jobs=3)
    for _ in range(5):
        corner.submit()
    assert [corner.poll(node["id"], max=n)["count"] for n in (1, 100, 100)] == [1, 2, 0]


def test_no_job_is_an_empty_list(corner: Corner) -> None:
    assert corner.poll(corner.register()["id"], max=9) == {"jobs": [], "count": 0}


def test_urgent_jobs_go_first_then_the_oldest(corner: Corner) -> None:
    node = corner.register(max_concurrent_jobs=9)
    low, medium, high = (corner.submit(priority=name)["id"] for name in ("low", "medium", "high"))
    second = corner.submit(priority="high")["id"]
    assert [job["id"] for job in corner.poll(node["id"], max=9)["jobs"]] == [high, second, medium, low]


def test_nothing_joins_a_job_that_runs_alone(corner: Corner) -> None:
    speaks = {PROTOCOL_HEADER: str(PROTOCOL)}  # else it is given no job that is measured
    node = corner.register(max_concurrent_jobs=9, headers=speaks)
    alone = corner.submit(confidence="high", priority="high")["id"]
    other = corner.submit()["id"]
    (first,) = corner.poll(node["id"], max=9)["jobs"]
    assert first["id"] == alone
    got(corner.report(first))
    assert [job["id"] for job in corner.poll(node["id"], max=9)["jobs"]] == [other]


def test_leases_that_the_agent_does_not_know_of_are_given_again_before_others(corner: Corner) -> None:
    node = corner.register(max_concurrent_jobs=9)
    for _ in range(3):
        corner.submit()
    known, *lost = corner.poll(node["id"], max=3)["jobs"]
    new = corner.submit(priority="high")["id"]
    again = corner.poll(node["id"], max=9, leases=known["lease_id"])["jobs"]
    assert [job["lease_id"] for job in again[:2]] == [job["lease_id"] for job in lost]
    assert [job["id"] for job in again[2:]] == [new]
    held = ",".join(job["lease_id"] for job in (known, *again))
    assert corner.poll(node["id"], max=9, leases=held)["count"] == 0


def test_it_waits_for_the_first_and_then_answers_all_that_there_are(
    master: Master, corner: Corner, pool: ThreadPoolExecutor
) -> None:
    node = corner.register(max_concurrent_jobs=9)

    def poll() -> int:
        with master.client() as client:
            return int(Corner(client).poll(node["id"], max=9, wait="20s")["count"])

    before = corner.node(node["id"])["last_heartbeat"]
    wait_until(lambda: corner.node(corner.register()["id"])["last_heartbeat"] > before, "a second is over")
    answer = pool.submit(poll)
    wait_until(lambda: corner.node(node["id"])["last_heartbeat"] > before, "the poll is parked")
    jobs = [{"scenario": "720p-h264", "constraints": {"labels": corner.labels}}] * 3
    got(corner.client.post("/jobs/batch", json={"jobs": jobs}), 201)
    assert answer.result(timeout=20) == 3


@pytest.mark.parametrize("most", ["0", "101", "-1", "1.0", "all", ""])
def test_a_number_that_makes_no_sense_is_refused(corner: Corner, most: str) -> None:
    answer = corner.client.get("/jobs/next", params={"node_id": corner.register()["id"], "max": most})
    assert refused_fields(answer) == ["max"]
