"""A person signs in with a token, is told what is wrong with a wrong one, and signs out."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.dashboard.conftest import Open
from tests.masters import Master


def test_the_token_leads_to_the_page_that_was_asked_for(visit: Open, master: Master) -> None:
    page = visit("/ui/jobs?status=failed", token=None)
    page.get_by_label("Token").fill("this is no token at all")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Token").fill(master.token)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{master.url}/ui/jobs?status=failed")
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
