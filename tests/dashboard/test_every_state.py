"""Every page is shown whatever is not known yet of a job and its node, or not any more."""

from __future__ import annotations

from tests.api.corner import Corner, got
from tests.masters import Client


def shown(client: Client, job_id: str, node_id: str) -> None:
    for path in ("/", "/ui/jobs", "/ui/jobs?status=running", f"/ui/jobs/{job_id}", "/ui/compare"):
        answer = client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.text}"
    assert client.get(f"/ui/nodes/{node_id}").status_code in (200, 404)


def test_from_the_first_claim_to_a_node_that_is_gone(client: Client, corner: Corner) -> None:
    node, job = corner.start()
    shown(client, job["id"], node["id"])  # it runs, and told nothing; no heartbeat was heard
    told = {"node_id": node["id"], "lease_id": job["lease_id"], "frame": 10}
    got(client.post(f"/jobs/{job['id']}/progress", json=told))
    shown(client, job["id"], node["id"])
    got(corner.report(job, metrics={}))
    shown(client, job["id"], node["id"])
    assert client.delete(f"/nodes/{node['id']}").ok
    shown(client, job["id"], node["id"])


def test_a_job_that_failed_at_once(client: Client, corner: Corner) -> None:
    node, job = corner.start()
    got(corner.report(job, status="failed", error={"code": "encoder_error", "message": "it broke"}))
    shown(client, job["id"], node["id"])
