"""`POST /jobs/{id}/cancel` ends a job, wherever it stands."""

from __future__ import annotations

from common import problems
from tests.api.corner import Corner, got, refused
from tests.masters import Client


def test_a_canceled_pending_job_is_never_given_out(corner: Corner) -> None:
    job = corner.submit()
    canceled = got(corner.client.post(f"/jobs/{job['id']}/cancel"))
    assert (canceled["status"], canceled["error"]["code"]) == ("canceled", "canceled")
    assert corner.poll(corner.register()["id"]) == {"job": None}


def test_a_canceled_running_job_frees_its_slot(corner: Corner) -> None:
    node, claimed = corner.start()
    canceled = got(corner.client.post(f"/jobs/{claimed['id']}/cancel"))
    assert canceled["attempts"][0]["outcome"] == "canceled"
    assert corner.node(node["id"])["status"] == "available"


def test_canceling_twice_is_answered_like_once(corner: Corner) -> None:
    address = f"/jobs/{corner.submit()['id']}/cancel"
    assert got(corner.client.post(address)) == got(corner.client.post(address))


def test_a_completed_job_cannot_be_canceled(corner: Corner) -> None:
    _, claimed = corner.start()
    got(corner.report(claimed))
    problem = refused(corner.client.post(f"/jobs/{claimed['id']}/cancel"), problems.JOB_FINISHED)
    assert problem["job_status"] == "completed"
    assert corner.job(claimed["id"])["status"] == "completed"


def test_an_unknown_job_cannot_be_canceled(client: Client) -> None:
    refused(client.post("/jobs/nothing/cancel"), problems.UNKNOWN_JOB)
