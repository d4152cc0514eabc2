"""`POST /jobs/{id}/release` hands a job back unharmed."""

from __future__ import annotations

from common import problems
from tests.api.corner import Corner, got, refused
from tests.masters import Client


def test_a_released_job_is_pending_again_and_has_used_up_no_attempt(corner: Corner) -> None:
    node, claimed = corner.start()
    sent = {"node_id": node["id"], "lease_id": claimed["lease_id"]}
    job = got(corner.client.post(f"/jobs/{claimed['id']}/release", json=sent))
    assert (job["status"], job["id"]) == ("pending", claimed["id"])
    assert corner.job(claimed["id"])["attempts"][0]["outcome"] == "handed_back"
    again = corner.poll(corner.register()["id"])
    assert (again["id"], again["attempt"]) == (claimed["id"], 2)


def test_a_job_is_released_by_whoever_holds_its_lease_only(corner: Corner) -> None:
    node, claimed = corner.start()
    address = f"/jobs/{claimed['id']}/release"
    other = corner.register()
    refused(corner.client.post(address, json={"node_id": other["id"]}), problems.STALE_LEASE)
    wrong = {"node_id": node["id"], "lease_id": "another"}
    refused(corner.client.post(address, json=wrong), problems.STALE_LEASE)
    assert corner.job(claimed["id"])["status"] == "running"


def test_a_pending_job_cannot_be_released(corner: Corner) -> None:
    answer = corner.client.post(
        f"/jobs/{corner.submit()['id']}/release", json={"node_id": corner.register()["id"]}
    )
    refused(answer, problems.STALE_LEASE)


def test_an_unknown_job_cannot_be_released(client: Client) -> None:
    refused(client.post("/jobs/nothing/release", json={"node_id": "a"}), problems.UNKNOWN_JOB)
