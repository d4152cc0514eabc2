"""Jobs are canceled, paused and retried, nodes approved, the queue paused and paged through, on the pages."""

from __future__ import annotations

import uuid

from playwright.sync_api import Page, expect

from tests.api.corner import Corner
from tests.dashboard.conftest import Open
from tests.masters import Client, Master


def test_a_running_job_is_canceled_in_its_row(visit: Open, corner: Corner) -> None:
    _, claimed = corner.start()
    page = visit("/ui/jobs?status=running")
    page.get_by_role("button", name=f"Cancel job {claimed['id'][:8]}").click()
    expect(page.get_by_text("1 job canceled.")).to_be_visible()
    expect(page.locator(f"#job-{claimed['id']}")).to_be_hidden()
    assert corner.job(claimed["id"])["status"] == "canceled"
    assert page.url.endswith("status=running")


def test_the_marked_jobs_are_resumed_together(visit: Open, client: Client) -> None:
    ids = [client.post("/jobs", json={"scenario": "720p-h264"}).json()["id"] for _ in range(2)]
    for job_id in ids:
        client.post(f"/jobs/{job_id}/pause")
    page = visit("/ui/jobs?status=paused")
    for job_id in ids:
        page.get_by_label(f"Mark job {job_id[:8]}").check()
    expect(page.get_by_text("2 marked")).to_be_visible()
    page.locator(".marked").get_by_role("button", name="Resume").click()
    expect(page.get_by_text("2 jobs resumed.")).to_be_visible()
    for job_id in ids:
        assert client.get(f"/jobs/{job_id}").json()["status"] == "pending"
        client.post(f"/jobs/{job_id}/cancel")


def test_what_cannot_be_done_is_told_beside_what_was(client: Client) -> None:
    ids = [client.post("/jobs", json={"scenario": "720p-h264"}).json()["id"] for _ in range(2)]
    client.post(f"/jobs/{ids[1]}/cancel")
    sent = {"do": "pause", "job_id": [*ids, "none"]}
    answer = client.post("/ui/jobs/change", data=sent, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 409
    alert = answer.text.partition('role="alert"')[2].partition("</div>")[0]
    assert "1 paused." in alert
    assert ids[1] in alert
    assert "There is no job" in alert
    client.post(f"/jobs/{ids[0]}/cancel")


def test_the_queue_is_paged_through_and_no_job_comes_twice(visit: Open) -> None:
    page = visit("/ui/jobs?status=pending")
    found: list[str] = []
    for _ in range(3):
        found += shown(page)
        page.get_by_role("link", name="Next page").click()
        expect(page.get_by_role("link", name="First page")).to_be_visible()
        expect(page.locator(f"#{found[-1]}")).to_have_count(0)
    assert len(set(found)) == len(found) == 150
    page.get_by_role("link", name="First page").click()
    expect(page.get_by_role("link", name="First page")).to_have_count(0)
    assert shown(page) == found[:50]


def shown(page: Page) -> list[str]:
    ids: list[str] = page.locator("#farm tbody tr").evaluate_all("rows => rows.map(row => row.id)")
    return ids


def test_a_node_is_approved_with_the_keyboard_alone(visit: Open, master: Master, client: Client) -> None:
    name = f"new-{uuid.uuid4().hex[:8]}"
    with master.client() as stranger:
        told = {"address": name, "credential": uuid.uuid4().hex * 2, "run_unlabeled": False}
        node = stranger.post("/nodes/register", json=told).json()
    page = visit("/")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('aria-label')") == f"Approve {name}":
            break
    page.keyboard.press("Enter")
    expect(page.locator(f"#waits-{node['id']}")).to_be_hidden()
    expect(page.locator(f"#node-{node['id']}")).to_contain_text("available")
    assert client.get(f"/nodes/{node['id']}").json()["status"] == "available"


def test_the_queue_is_paused_and_resumed(visit: Open, client: Client) -> None:
    page = visit("/")
    page.get_by_role("button", name="Pause the queue").click()
    expect(page.get_by_text("The queue is paused.")).to_be_visible()
    assert client.get("/queue").json()["paused"] is True
    page.get_by_role("button", name="Resume the queue").click()
    expect(page.get_by_role("button", name="Pause the queue")).to_be_visible()
    assert client.get("/queue").json()["paused"] is False
