"""`POST /jobs/{id}/retry` queues a new job that repeats a finished one."""

from __future__ import annotations

from common import problems
from common.version import PROTOCOL
from tests.api.corner import Corner, got, refused
from tests.masters import Client


def test_a_retry_is_a_new_job_that_asks_for_the_same(corner: Corner) -> None:
    node = corner.register({"Ffrtmp-Protocol": str(PROTOCOL)})
    corner.submit(parameters={"duration": 2}, priority="high", confidence="low")
    claimed = corner.poll(node["id"])["job"]
    corner.fail(claimed)
    before = corner.job(claimed["id"])
    new = got(corner.client.post(f"/jobs/{claimed['id']}/retry"), 201)
    assert new["id"] != claimed["id"]
    assert (new["retry_of"], new["status"], new["retry_count"]) == (claimed["id"], "pending", 0)
    for name in ("scenario", "parameters", "priority", "confidence", "constraints"):
        assert new[name] == before[name]
    assert corner.job(claimed["id"]) == before


def test_a_completed_or_canceled_job_can_be_retried_too(corner: Corner) -> None:
    _, claimed = corner.start()
    got(corner.report(claimed))
    got(corner.client.post(f"/jobs/{claimed['id']}/retry"), 201)
    canceled = corner.submit()
    got(corner.client.post(f"/jobs/{canceled['id']}/cancel"))
    got(corner.client.post(f"/jobs/{canceled['id']}/retry"), 201)


def test_a_job_that_is_not_finished_cannot_be_retried(corner: Corner) -> None:
    job = corner.submit()
    problem = refused(corner.client.post(f"/jobs/{job['id']}/retry"), problems.JOB_NOT_FINISHED)
    assert problem["job_status"] == "pending"


def test_an_unknown_job_cannot_be_retried(client: Client) -> None:
    refused(client.post("/jobs/nothing/retry"), problems.UNKNOWN_JOB)
