"""A job is submitted on a page; what is wrong stands beside its field, and nothing typed is lost."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.dashboard.conftest import Open
from tests.masters import Client


def test_what_is_wrong_stands_beside_its_field_and_the_corrected_job_appears(
    visit: Open, client: Client
) -> None:
    before = client.get("/queue").json()["jobs"]["pending"]
    page = visit("/")
    page.get_by_role("link", name="New job").click()
    page.get_by_label("Scenario").select_option("720p-h264")
    page.get_by_label("Duration").fill("-3")
    page.get_by_label("More parameters").fill("threads=1\ngop=30")
    page.get_by_label("Priority").select_option("high")
    page.get_by_role("button", name="Submit the job").click()
    duration = page.get_by_label("Duration")
    expect(duration).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#error-duration")).to_contain_text("0.01")
    expect(duration).to_have_value("-3")
    expect(page.get_by_label("Scenario")).to_have_value("720p-h264")
    expect(page.get_by_label("More parameters")).to_have_value("threads=1\ngop=30")
    expect(page.get_by_label("Priority")).to_have_value("high")
    assert client.get("/queue").json()["jobs"]["pending"] == before
    duration.fill("7")
    page.get_by_role("button", name="Submit the job").click()
    link = page.get_by_text("Queued:").get_by_role("link")
    expect(link).to_be_visible()
    job = client.get(f"/jobs/{(link.get_attribute('title') or '')}").json()
    assert (job["scenario"], job["priority"], job["status"]) == ("720p-h264", "high", "pending")
    assert job["parameters"] == {"duration": 7, "threads": 1, "gop": 30}


def test_a_form_that_is_sent_twice_queues_one_job_and_a_changed_one_another(client: Client) -> None:
    key = re.search(r'name="key" value="(\w+)"', client.get("/ui/jobs").text)
    assert key is not None

    def send(duration: str) -> str:
        typed = {"scenario": "720p-h264", "duration": duration, "key": key[1]}
        ours = {"Sec-Fetch-Site": "same-origin"}
        return client.post("/ui/jobs", data=typed, headers=ours, allow_redirects=False).headers["Location"]

    first = send("3")
    assert send("3") == first
    assert send("4") != first


def test_with_the_keyboard_alone_and_without_script(visit: Open, client: Client) -> None:
    page = visit("/", java_script_enabled=False)
    reach(page, "New job")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Scenario")).to_be_visible()
    reach(page, "Submit the job")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Queued:")).to_be_visible()


def reach(page: Page, name: str) -> None:
    """Press Tab until the link or button of that name has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.locator(":focus").inner_text() == name:
            return
    raise AssertionError(f"{name} cannot be reached")
