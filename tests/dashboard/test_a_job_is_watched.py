"""On a job's page its log is read as it is written, its command is copied, and it is canceled."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.api.corner import Corner, got
from tests.dashboard.big import NODE
from tests.dashboard.conftest import Open, progress
from tests.dashboard.looks import look
from tests.masters import Client

COMMAND = "ffmpeg -i 'a film.mp4' -c:v libx264 out.mp4"


def test_the_log_of_a_running_job_appears_line_by_line(visit: Open, corner: Corner, client: Client) -> None:
    _, claimed = corner.start()
    progress(client, claimed, 10, log=["first words"])
    page = visit(f"/ui/jobs/{claimed['id']}")
    log = page.locator("pre.log")
    expect(log).to_contain_text("first words")
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    page.evaluate("window.same = true")
    progress(client, claimed, 25, fps=25.0, speed=1.5, log=["<b>second</b> words"])
    expect(log).to_contain_text("<b>second</b> words")
    expect(page.get_by_label("How it stands")).to_contain_text("25 %")
    expect(page.get_by_label("How it stands")).to_contain_text("1.50×")
    assert log.inner_text().count("first words") == 1
    got(corner.report(claimed, metrics={"frames": 300, "command": COMMAND}))
    expect(page.get_by_text("complete", exact=True)).to_be_visible()
    expect(page.get_by_label("How it stands")).to_contain_text("completed")
    expect(log).to_contain_text("second")
    assert page.evaluate("window.same") is True


def lines(first: int, last: int) -> list[str]:
    return [f"line {number}" for number in range(first, last)]


def test_who_scrolls_up_is_left_there_until_he_wants_the_newest(
    visit: Open, corner: Corner, client: Client
) -> None:
    _, claimed = corner.start()
    progress(client, claimed, 10, log=lines(0, 200))
    page = visit(f"/ui/jobs/{claimed['id']}")
    log = page.locator("pre.log")
    expect(log).to_contain_text("line 199")
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    log.evaluate("box => { box.scrollTop = 100; }")
    newest = page.get_by_role("button", name="To the newest line")
    expect(newest).to_be_visible()
    before = log.evaluate("box => box.scrollTop")
    progress(client, claimed, 20, log=lines(200, 250))
    expect(log).to_contain_text("line 249")
    assert log.evaluate("box => box.scrollTop") == before
    newest.click()
    expect(newest).to_be_hidden()
    progress(client, claimed, 30, log=lines(250, 300))
    expect(log).to_contain_text("line 299")
    assert log.evaluate("box => box.scrollHeight - box.scrollTop - box.clientHeight") < 24


def test_a_long_log_does_not_fill_the_page(visit: Open, corner: Corner, client: Client) -> None:
    _, claimed = corner.start()
    for begin in range(0, 6000, 1000):
        progress(client, claimed, 10, log=lines(begin, begin + 1000))
    page = visit(f"/ui/jobs/{claimed['id']}")
    expect(page.locator("pre.log")).to_contain_text("line 5999")
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    progress(client, claimed, 20, log=["the end"])
    expect(page.locator("pre.log")).to_contain_text("the end")
    assert page.locator("pre.log > *").count() <= 2000


@pytest.mark.parametrize("script", [True, False])
def test_a_job_is_canceled_in_two_steps(visit: Open, corner: Corner, script: bool) -> None:
    _, claimed = corner.start()
    page = visit(f"/ui/jobs/{claimed['id']}", java_script_enabled=script)
    page.get_by_text("Cancel…").click()
    page.get_by_role("button", name="Cancel this job").click()
    expect(page.get_by_label("How it stands")).to_contain_text("canceled")
    assert corner.job(claimed["id"])["status"] == "canceled"


def test_a_finished_job_is_queued_again_once_however_often_the_form_is_sent(
    visit: Open, corner: Corner, client: Client
) -> None:
    _, claimed = corner.start()
    got(corner.report(claimed))
    page = visit(f"/ui/jobs/{claimed['id']}", java_script_enabled=False)
    key = page.locator("input[name=key]").get_attribute("value")
    ours = {"Sec-Fetch-Site": "same-origin"}
    sent = {"do": "retry", "key": key}
    made = {
        client.post(f"/ui/jobs/{claimed['id']}", data=sent, headers=ours, allow_redirects=False).headers[
            "Location"
        ]
        for _ in range(2)
    }
    assert len(made) == 1
    page.get_by_role("button", name="Retry").click()
    assert page.url.endswith(made.pop())
    expect(page.get_by_text("Repeats")).to_be_visible()


def finished(corner: Corner, **more: Any) -> str:
    _, claimed = corner.start()
    got(corner.report(claimed, metrics={"frames": 300, "command": COMMAND, "fps": None}, **more))
    return str(claimed["id"])


def test_the_command_is_copied(visit: Open, corner: Corner) -> None:
    page = visit(f"/ui/jobs/{finished(corner)}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == COMMAND


def test_each_number_has_its_source_and_what_is_unknown_is_no_zero(visit: Open, corner: Corner) -> None:
    page = visit(f"/ui/jobs/{finished(corner)}")
    row = page.get_by_role("row").filter(has=page.get_by_text("frames", exact=True))
    expect(row).to_contain_text("300")
    expect(row).to_contain_text("probe of the output")
    expect(page.get_by_text("Not known:")).to_contain_text("fps")


def test_the_timeline_says_who_did_what(visit: Open, corner: Corner, client: Client) -> None:
    job = corner.submit()
    for verb in ("pause", "resume"):
        got(client.post(f"/jobs/{job['id']}/{verb}"))
    page = visit(f"/ui/jobs/{job['id']}")
    story = page.get_by_role("list").filter(has_text="Submitted")
    expect(story).to_contain_text("Paused by operator")
    expect(story).to_contain_text("Resumed by operator")


def test_an_old_job_among_20_000_has_its_page(visit: Open, client: Client) -> None:
    old = got(client.get("/jobs?status=failed&limit=1"))["jobs"][0]["id"]
    page: Page = visit(f"/ui/jobs/{old}")
    expect(page.get_by_label("How it stands")).to_contain_text("ffmpeg ended with status 1")
    expect(page.locator(".story").get_by_role("link", name="old-node").first).to_have_attribute(
        "href", f"/ui/nodes/{NODE}"
    )


def test_a_node_that_is_gone_is_told_by_its_id(client: Client, corner: Corner) -> None:
    node, job = corner.start()
    got(corner.report(job, metrics={}))
    named = f'<a href="/ui/nodes/{node["id"]}" title="{node["id"]}">worker-01</a>'
    assert named in client.get(f"/ui/jobs/{job['id']}").text
    assert client.delete(f"/nodes/{node['id']}").ok
    text = client.get(f"/ui/jobs/{job['id']}").text
    assert f'<code title="{node["id"]}">{node["id"][:8]}</code>' in text
    assert named not in text


def test_an_unknown_job_is_told_as_a_page(client: Client) -> None:
    answer = client.get("/ui/jobs/none")
    assert answer.status_code == 404
    assert "There is no job" in answer.text
    assert answer.headers["Content-Type"].startswith("text/html")


def test_nothing_is_wrong_with_the_page(visit: Open, corner: Corner, client: Client) -> None:
    look(visit, f"/ui/jobs/{finished(corner)}")
    _, claimed = corner.start()
    progress(client, claimed, 10, fps=25.0, speed=1.5, log=["x" * 300])
    look(visit, f"/ui/jobs/{claimed['id']}")
    corner.fail(claimed)
