"""Pages follow what happens without a reload, leave focus and marks alone, and say when they cannot."""

from __future__ import annotations

import time
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.api.corner import Corner
from tests.dashboard.conftest import Open, Seen, cookie, progress
from tests.masters import Client, start_master


def test_the_progress_of_a_running_job_moves(visit: Open, corner: Corner, client: Client) -> None:
    _, claimed = corner.start()
    progress(client, claimed, 10, fps=25.0, speed=1.5)
    page = visit("/")
    row = page.locator(f"#running-{claimed['id']}")
    expect(row).to_contain_text("10 %")
    page.evaluate("window.same = true")
    expect(page.locator("body[data-live=yes]")).to_be_attached()
    progress(client, claimed, 60, fps=30.0, speed=2.0)
    expect(row).to_contain_text("60 %")
    expect(row).to_contain_text("2.00×")
    corner.fail(claimed)
    expect(row).to_be_hidden()
    expect(page.locator(f"#failed-{claimed['id']}")).to_contain_text("it broke")
    assert page.evaluate("window.same") is True


def test_marks_focus_and_scrolling_stay_when_the_list_changes(visit: Open, client: Client) -> None:
    page = visit("/ui/jobs?status=paused")
    ids = [client.post("/jobs", json={"scenario": "720p-h264"}).json()["id"] for _ in range(3)]
    for job_id in ids[:2]:
        client.post(f"/jobs/{job_id}/pause")
    box = page.get_by_label(f"Mark job {ids[0][:8]}")
    box.check()
    page.get_by_label(f"Mark job {ids[1][:8]}").focus()
    page.mouse.wheel(0, 40)
    scrolled = page.evaluate("scrollY")
    client.post(f"/jobs/{ids[2]}/pause")
    expect(page.locator(f"#job-{ids[2]}")).to_be_visible()
    expect(box).to_be_checked()
    expect(page.get_by_label(f"Mark job {ids[1][:8]}")).to_be_focused()
    assert page.evaluate("scrollY") == scrolled
    for job_id in ids:
        client.post(f"/jobs/{job_id}/cancel")


def test_many_events_are_looked_at_about_once_a_second(
    visit: Open, corner: Corner, client: Client, seen: Seen
) -> None:
    page = visit("/")
    expect(page.locator("body[data-live=yes]")).to_be_attached()
    node = corner.register()
    loads = len(seen.addresses)
    begun = time.monotonic()
    for _ in range(60):
        client.post(f"/nodes/{node['id']}/drain")
        client.post(f"/nodes/{node['id']}/resume")
    expect(page.locator(f"#node-{node['id']}")).to_contain_text("available")
    page.wait_for_timeout(1500)
    passed = time.monotonic() - begun
    fetched = len(seen.addresses) - loads
    assert 1 <= fetched <= passed + 2


def test_a_lost_connection_is_told_and_ends_with_a_look_anew(browser: Browser, tmp_path: Path) -> None:
    master = start_master(tmp_path / "state", auth="required")
    context = browser.new_context(ignore_https_errors=True, base_url=master.url)
    try:
        context.add_cookies([cookie(master, master.token)])
        page = context.new_page()
        page.goto("/")
        expect(page.locator("body[data-live=yes]")).to_be_attached()
        expect(page.get_by_text("The connection to the master is lost")).to_be_hidden()
        master.stop()
        expect(page.get_by_text("The connection to the master is lost")).to_be_visible(timeout=20_000)
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    finally:
        context.close()
        master.stop()
