"""`GET /jobs/{id}` tells one job with the story of its attempts."""

from __future__ import annotations

from common import problems
from tests.api.corner import TIMESTAMP, Corner, got, refused
from tests.masters import Client


def test_a_pending_job_has_no_attempts_and_says_what_it_waits_for(corner: Corner) -> None:
    job = corner.job(corner.submit()["id"])
    assert (job["attempts"], job["node_id"], job["started_at"], job["progress"]) == ([], None, None, None)
    assert job["pending_reason"]
    assert "lease_expires_in" not in job


def test_a_running_job_names_its_node_and_never_its_lease(corner: Corner) -> None:
    node, claimed = corner.start()
    answer = corner.client.get(f"/jobs/{claimed['id']}")
    assert claimed["lease_id"] not in answer.text
    job = got(answer)
    assert (job["status"], job["node_id"], job["pending_reason"]) == ("running", node["id"], None)
    assert 3500 < job["lease_expires_in"] <= 3600
    assert job["attempts"] == [
        {
            "number": 1,
            "node_id": node["id"],
            "started_at": job["started_at"],
            "ended_at": None,
            "outcome": None,
            "error": None,
        }
    ]


def test_a_completed_job_says_when_it_was_finished(corner: Corner) -> None:
    _, claimed = corner.start()
    got(corner.report(claimed))
    job = corner.job(claimed["id"])
    assert (job["status"], job["error"]) == ("completed", None)
    assert TIMESTAMP.fullmatch(job["finished_at"])
    assert job["attempts"][0]["outcome"] == "completed"


def test_a_failed_job_says_why(corner: Corner) -> None:
    _, claimed = corner.start()
    corner.fail(claimed)
    job = corner.job(claimed["id"])
    assert (job["status"], job["error"]) == ("failed", {"code": "encoder_error", "message": "it broke"})
    assert job["attempts"][0]["outcome"] == "failed"


def test_a_failure_that_may_pass_leads_to_another_attempt_after_a_while(corner: Corner) -> None:
    node, claimed = corner.start()
    corner.fail(claimed, "disk_full")
    job = corner.job(claimed["id"])
    assert (job["status"], job["retry_count"], len(job["attempts"])) == ("pending", 0, 1)
    assert "before the next attempt" in job["pending_reason"]
    assert corner.poll(node["id"]) == {"job": None}


def test_an_unknown_job_is_not_found(client: Client) -> None:
    assert "'nothing'" in refused(client.get("/jobs/nothing"), problems.UNKNOWN_JOB)["detail"]
