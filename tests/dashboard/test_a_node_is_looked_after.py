"""On a node's page one finds why an encoder failed and what ended there, drains the node, and removes it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.api.corner import Corner, got
from tests.dashboard.big import NODE
from tests.dashboard.conftest import Open, Seen, progress
from tests.dashboard.looks import look
from tests.masters import Client

WHY = "Cannot load libcuda.so.1"


def test_why_an_encoder_failed_is_told_in_ffmpegs_words(visit: Open, corner: Corner) -> None:
    node = corner.register(encoders=["libx264"], encoder_failures={"h264_nvenc": WHY})
    page = visit(f"/ui/nodes/{node['id']}")
    encoders = page.get_by_role("region", name="Encoders")
    expect(encoders).to_contain_text("libx264")
    expect(encoders.locator("dt", has_text="h264_nvenc")).to_be_visible()
    expect(encoders.locator("dd")).to_have_text(WHY)


@pytest.mark.parametrize("script", [True, False])
def test_a_node_is_drained_and_resumed(visit: Open, corner: Corner, script: bool) -> None:
    node = corner.register()
    page = visit(f"/ui/nodes/{node['id']}", java_script_enabled=script)
    page.get_by_role("button", name="Drain").click()
    expect(page.get_by_label("How it stands")).to_contain_text("draining")
    assert corner.node(node["id"])["status"] == "draining"
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_label("How it stands")).to_contain_text("available")
    assert page.url.endswith(f"/ui/nodes/{node['id']}")


@pytest.mark.parametrize("script", [True, False])
def test_a_node_is_removed_in_two_steps(
    visit: Open, corner: Corner, client: Client, seen: Seen, script: bool
) -> None:
    node = corner.register()
    page = visit(f"/ui/nodes/{node['id']}", java_script_enabled=script)
    expect(page.get_by_role("button", name="Remove this node")).to_be_hidden()
    page.get_by_text("Remove…").click()
    page.get_by_role("button", name="Remove this node").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert client.get(f"/nodes/{node['id']}").status_code == 404
    # The page that is left may hear of it first, and look for the node that is gone.
    seen.said = [text for text in seen.said if "status of 404" not in text]


def test_what_runs_there_and_its_load_are_followed_as_they_change(
    visit: Open, corner: Corner, client: Client
) -> None:
    node, claimed = corner.start()
    progress(client, claimed, 10, fps=24.0, speed=0.8)
    beat = f"/nodes/{node['id']}/heartbeat"
    got(client.post(beat, json={"load": {"cpu": 0.75, "memory": 0.5}}))
    page = visit(f"/ui/nodes/{node['id']}")
    expect(page.get_by_role("img", name="CPU: now 75 %")).to_be_visible()
    expect(page.get_by_role("img", name="Frames per second: now 24.0")).to_be_visible()
    expect(page.locator(f"#running-{claimed['id']}")).to_contain_text("10 %")
    expect(page.locator("body[data-live=yes]")).to_be_attached()
    corner.fail(claimed)
    expect(page.get_by_text("Nothing runs on it.")).to_be_visible()
    ended = page.get_by_role("region", name="What ended there last").get_by_role("row").nth(1)
    expect(ended).to_contain_text("failed")
    expect(ended).to_contain_text("it broke")


def test_a_node_that_ran_12_000_jobs_shows_the_newest(visit: Open) -> None:
    page = visit(f"/ui/nodes/{NODE}")
    expect(page.get_by_role("heading", name="old-node")).to_be_visible()
    assert page.get_by_role("region", name="What ended there last").get_by_role("row").count() == 51


def test_nothing_is_wrong_with_the_page(visit: Open, corner: Corner, client: Client) -> None:
    node = corner.register(encoders=["libx264"], encoder_failures={"h264_nvenc": WHY * 10})
    got(client.post(f"/nodes/{node['id']}/heartbeat", json={"load": {"cpu": 0.75, "memory": 0.5}}))
    look(visit, f"/ui/nodes/{node['id']}")
    look(visit, f"/ui/nodes/{NODE}")
