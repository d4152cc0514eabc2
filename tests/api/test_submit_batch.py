"""`POST /jobs/batch` queues up to 10,000 jobs, all or none."""

from __future__ import annotations

from typing import Any

import pytest

from common import problems
from common.problems import ProblemType
from tests.api.corner import Corner, got, refused, refused_fields
from tests.masters import Client

JOB: dict[str, Any] = {"scenario": "720p-h264"}


def count(client: Client) -> int:
    return int(got(client.get("/jobs"))["count"])


def test_all_jobs_are_answered_in_their_order(corner: Corner) -> None:
    jobs = [{**JOB, "parameters": {"duration": n + 1}} for n in range(3)]
    answer = got(corner.client.post("/jobs/batch", json={"jobs": jobs}), 201)
    assert answer["count"] == 3
    assert [job["parameters"]["duration"] for job in answer["jobs"]] == [1, 2, 3]
    for job in answer["jobs"]:
        assert corner.job(job["id"])["status"] == "pending"


def test_ten_thousand_are_taken_and_one_more_is_not(client: Client) -> None:
    answer = got(client.post("/jobs/batch", json={"jobs": [JOB] * 10_000}, timeout=60), 201)
    assert len({job["id"] for job in answer["jobs"]}) == 10_000
    before = count(client)
    assert refused_fields(client.post("/jobs/batch", json={"jobs": [JOB] * 10_001})) == ["jobs"]
    assert count(client) == before


@pytest.mark.parametrize(
    ("wrong", "type_", "field"),
    [
        ({"scenario": "no-such"}, problems.UNKNOWN_SCENARIO, None),
        ({**JOB, "parameters": {"crf": 60}}, problems.INVALID, "parameters.crf"),
        ({**JOB, "priority": "urgent"}, problems.INVALID, "jobs.1.priority"),
        ({}, problems.INVALID, "jobs.1.scenario"),
        ("720p-h264", problems.INVALID, "jobs.1"),
    ],
)
def test_one_job_that_is_refused_refuses_all_and_is_named(
    client: Client, wrong: Any, type_: ProblemType, field: str | None
) -> None:
    before = count(client)
    answer = client.post("/jobs/batch", json={"jobs": [JOB, wrong, JOB]})
    body = refused(answer, type_)
    assert "jobs.1" in body["detail"]
    if field is not None:
        assert [error["field"] for error in body["errors"]] == [field]
    assert count(client) == before


@pytest.mark.parametrize("body", [{}, {"jobs": []}, {"jobs": {}}, {"jobs": None}, {"jobs": [JOB], "x": 1}])
def test_what_is_no_batch_is_refused(client: Client, body: Any) -> None:
    refused(client.post("/jobs/batch", json=body), problems.INVALID)


def test_the_same_batch_again_with_its_key_makes_no_more_jobs(corner: Corner) -> None:
    key = {"Idempotency-Key": corner.labels["corner"]}
    first = got(corner.client.post("/jobs/batch", json={"jobs": [JOB, JOB]}, headers=key), 201)
    before = count(corner.client)
    again = got(corner.client.post("/jobs/batch", json={"jobs": [JOB, JOB]}, headers=key), 201)
    assert [job["id"] for job in again["jobs"]] == [job["id"] for job in first["jobs"]]
    assert count(corner.client) == before
    answer = corner.client.post("/jobs/batch", json={"jobs": [JOB]}, headers=key)
    refused(answer, problems.KEY_REUSED)
