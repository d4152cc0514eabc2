"""100 parallel identical `POST /jobs` with one `Idempotency-Key` make one job."""

from __future__ import annotations

from tests.api.corner import Corner, got
from tests.api.crowd import at_once
from tests.masters import Master

TIMES = 100


def test_they_make_one_job(master: Master, corner: Corner) -> None:
    job = {"scenario": "720p-h264", "constraints": {"labels": corner.labels}}
    key = {"Idempotency-Key": corner.labels["corner"]}
    count = got(corner.client.get("/jobs"))["count"]
    answers = at_once(master, TIMES, lambda client, _: client.post("/jobs", json=job, headers=key))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert got(corner.client.get("/jobs"))["count"] == count + 1
