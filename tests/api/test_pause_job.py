"""`POST /jobs/{id}/pause` holds a pending job back, and `/resume` lets it go."""

from __future__ import annotations

from common import problems
from tests.api.corner import Corner, got, refused


def test_a_paused_job_is_given_to_nobody_until_it_is_resumed(corner: Corner) -> None:
    job, node = corner.submit(), corner.register()
    for _ in range(2):
        assert got(corner.client.post(f"/jobs/{job['id']}/pause"))["status"] == "paused"
    listed = got(corner.client.get("/jobs", params={"status": "paused"}))["jobs"]
    assert job["id"] in {each["id"] for each in listed}
    assert corner.poll(node["id"])["job"] is None
    for _ in range(2):
        assert got(corner.client.post(f"/jobs/{job['id']}/resume"))["status"] == "pending"
    assert corner.poll(node["id"])["id"] == job["id"]


def test_a_running_job_and_a_finished_one_cannot_be_paused(corner: Corner) -> None:
    _, claimed = corner.start()
    refused(corner.client.post(f"/jobs/{claimed['id']}/pause"), problems.JOB_RUNNING)
    got(corner.report(claimed))
    for verb in ("pause", "resume"):
        refused(corner.client.post(f"/jobs/{claimed['id']}/{verb}"), problems.JOB_FINISHED)
