"""`POST /jobs` with an `Idempotency-Key` is safe to repeat."""

from __future__ import annotations

import pytest

from common import problems
from tests.api.corner import Corner, got, refused, refused_fields
from tests.masters import Client

JOB = {"scenario": "720p-h264"}


@pytest.fixture
def key(corner: Corner) -> dict[str, str]:
    return {"Idempotency-Key": corner.labels["corner"]}


def test_the_same_submit_again_answers_the_same_job_and_makes_no_other(
    client: Client, key: dict[str, str]
) -> None:
    first = got(client.post("/jobs", json=JOB, headers=key), 201)
    count = got(client.get("/jobs"))["count"]
    again = client.post("/jobs", json=JOB, headers=key)
    assert again.status_code in (200, 201)
    assert again.json()["id"] == first["id"]
    assert got(client.get("/jobs"))["count"] == count


def test_a_submit_without_a_key_always_makes_a_job(client: Client) -> None:
    ids = {got(client.post("/jobs", json=JOB), 201)["id"] for _ in range(2)}
    assert len(ids) == 2


def test_another_submit_with_the_same_key_is_refused(client: Client, key: dict[str, str]) -> None:
    got(client.post("/jobs", json=JOB, headers=key), 201)
    answer = client.post("/jobs", json={**JOB, "priority": "high"}, headers=key)
    refused(answer, problems.KEY_REUSED)


def test_a_key_whose_submit_was_refused_can_be_used(client: Client, key: dict[str, str]) -> None:
    refused(client.post("/jobs", json={"scenario": "none"}, headers=key), problems.UNKNOWN_SCENARIO)
    got(client.post("/jobs", json=JOB, headers=key), 201)


@pytest.mark.parametrize("bad", ["", "x" * 256, "a\tb", "\xe4"])
def test_a_key_that_is_none_is_refused(client: Client, bad: str) -> None:
    answer = client.post("/jobs", json=JOB, headers={"Idempotency-Key": bad.encode("latin-1")})
    assert refused_fields(answer) == ["Idempotency-Key"]
