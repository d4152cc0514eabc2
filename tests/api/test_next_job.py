"""`GET /jobs/next` leases a job to a node, at once or as soon as there is one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from common import problems
from tests.api.corner import Corner, got, park, refused, refused_fields
from tests.masters import Client, Master, wait_until


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_a_claim_has_the_jobs_fields_and_the_same_under_job(corner: Corner) -> None:
    node = corner.register()
    job = corner.submit(parameters={"duration": 1})
    answer = corner.poll(node["id"])
    inner = answer.pop("job")
    assert answer == inner
    assert (inner["id"], inner["status"], inner["parameters"]) == (job["id"], "running", {"duration": 1})
    assert (inner["node_id"], inner["attempt"], inner["retry_count"]) == (node["id"], 1, 0)
    assert inner["lease_id"]
    assert 3500 < inner["lease_expires_in"] <= 3600


def test_no_job_is_null(corner: Corner) -> None:
    assert corner.poll(corner.register()["id"]) == {"job": None}


def test_urgent_jobs_go_first_then_the_oldest(corner: Corner) -> None:
    node = corner.register(max_concurrent_jobs=4)
    submitted = {name: corner.submit(priority=name)["id"] for name in ("low", "medium", "high")}
    second = corner.submit(priority="high")["id"]
    order = [corner.poll(node["id"])["id"] for _ in range(4)]
    assert order == [submitted["high"], second, submitted["medium"], submitted["low"]]


def test_a_node_with_all_its_slots_taken_gets_nothing(corner: Corner) -> None:
    node, _ = corner.start()
    corner.submit()
    assert corner.poll(node["id"]) == {"job": None}


def test_a_job_that_the_node_cannot_run_does_not_block_the_one_behind_it(corner: Corner) -> None:
    node = corner.register(encoders=["libx264"])
    corner.submit("720p30-h265")
    possible = corner.submit("720p-h264")
    assert corner.poll(node["id"])["id"] == possible["id"]


def test_a_lease_that_the_agent_does_not_know_of_is_given_again(corner: Corner) -> None:
    node, lost = corner.start()
    again = corner.poll(node["id"], leases="")
    assert (again["id"], again["lease_id"], again["attempt"]) == (lost["id"], lost["lease_id"], 1)
    assert corner.poll(node["id"], leases=lost["lease_id"]) == {"job": None}


def test_a_parked_poll_gets_a_job_as_soon_as_it_is_submitted(
    master: Master, corner: Corner, pool: ThreadPoolExecutor
) -> None:
    answer = park(master, corner, pool, corner.register())
    submitted = time.monotonic()
    job = corner.submit()
    claimed, claimed_at = answer.result(timeout=20)
    assert got(claimed)["id"] == job["id"]
    assert claimed_at - submitted < 1


def test_one_job_wakes_one_of_two_parked_polls(
    master: Master, corner: Corner, pool: ThreadPoolExecutor
) -> None:
    answers = [park(master, corner, pool, corner.register()) for _ in range(2)]
    first = corner.submit()
    wait_until(lambda: any(answer.done() for answer in answers), "one poll is answered")
    second = corner.submit()
    claimed = [got(answer.result(timeout=20)[0])["id"] for answer in answers]
    assert sorted(claimed) == sorted([first["id"], second["id"]])


def test_a_newer_poll_of_the_same_node_takes_the_place_of_the_older(
    master: Master, corner: Corner, pool: ThreadPoolExecutor
) -> None:
    node = corner.register()
    older = park(master, corner, pool, node)
    newer = park(master, corner, pool, node)
    assert got(older.result(timeout=5)[0]) == {"job": None}
    job = corner.submit()
    assert got(newer.result(timeout=20)[0])["id"] == job["id"]


def test_a_poll_whose_wait_is_over_is_answered_with_null(corner: Corner) -> None:
    node = corner.register()
    begun = time.monotonic()
    assert corner.poll(node["id"], wait="300ms") == {"job": None}
    assert 0.25 < time.monotonic() - begun < 5


@pytest.mark.parametrize("wait", ["-1", "61", "5m", "soon", "nan", "inf", "1e99", ""])
def test_a_wait_that_makes_no_sense_is_refused(corner: Corner, wait: str) -> None:
    answer = corner.client.get("/jobs/next", params={"node_id": corner.register()["id"], "wait": wait})
    assert refused_fields(answer) == ["wait"]


@pytest.mark.parametrize("query", ["", "?node_id=", "?wait=1"])
def test_a_missing_node_id_is_named(client: Client, query: str) -> None:
    assert refused_fields(client.get(f"/jobs/next{query}")) == ["node_id"]


def test_a_node_that_is_not_known_is_told_to_register(client: Client) -> None:
    for wait in ("0", "5"):
        answer = client.get("/jobs/next", params={"node_id": "nobody", "wait": wait})
        assert "/nodes/register" in refused(answer, problems.UNKNOWN_NODE)["detail"]
