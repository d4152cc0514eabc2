"""One browser, and one master with 20,000 jobs, for all pages; each test has a context of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from master.sessions import COOKIE
from tests.api.corner import Corner
from tests.browser import browser as program
from tests.dashboard.big import write_state
from tests.masters import Client, Master, launch_master, wait_until
from tests.once import made_once

expect.set_options(timeout=20_000)
EXPECTED = ("status of 401", "status of 400", "status of 409", "[DOM] Password forms")
"""What Chromium says on its console of refusals that the tests bring about, and as advice."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=program(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield running
        running.close()


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    """Without a local door: people sign in. Patient, so that nothing is lost while another test is busy."""
    state_dir = tmp_path_factory.mktemp("dashboard") / "state"
    # bench/dashboard.py measures the pages with 100,000; that would take each process of a run half a minute.
    many = partial(write_state, jobs=20_000, waiting=8_000)
    shutil.copytree(made_once(tmp_path_factory, "very-many-jobs", many), state_dir)
    running = launch_master(
        state_dir, auth="required", lease="1h", heartbeat_timeout="1h", retention="365d", log_level="warning"
    )
    # It reads all of them first, on a machine that may have much else to do.
    wait_until(running.healthy, "the master with very many jobs answers", 150)
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.log.read_text()


@pytest.fixture
def client(master: Master) -> Iterator[Client]:
    """The operator."""
    with master.client(master.token) as client:
        yield client


@pytest.fixture
def corner(client: Client) -> Iterator[Corner]:
    """Swept in the end: pages list some nodes only, and all these tests share one master."""
    corner = Corner(client)
    yield corner
    corner.sweep()


@dataclass
class Seen:
    """What a browser did and said while a test used it."""

    addresses: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        context.on("request", lambda request: self.addresses.append(request.url))
        context.on("console", lambda message: self.said.append(message.text))
        context.on("weberror", lambda error: self.said.append(str(error.error)))


@pytest.fixture
def seen() -> Seen:
    return Seen()


Open = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, master: Master, seen: Seen) -> Iterator[Open]:
    """Opens a page of the master in a new context, signed in as `token`'s owner (None: not signed in).

    In the end: nothing was asked of another host, and no page did what its policy forbids.
    """
    with ExitStack() as stack:

        def new(path: str = "/", token: str | None = master.token, **options: Any) -> Page:
            options = {"viewport": {"width": 1280, "height": 800}} | options
            context = browser.new_context(ignore_https_errors=True, base_url=master.url, **options)
            stack.callback(context.close)
            context.set_default_timeout(20_000)
            seen.watch(context)
            if token is not None:
                context.add_cookies([cookie(master, token)])
            page = context.new_page()
            page.goto(path)
            return page

        yield new
        assert [url for url in seen.addresses if not url.startswith(f"{master.url}/")] == []
        assert [text for text in seen.said if not any(known in text for known in EXPECTED)] == []


def cookie(master: Master, token: str) -> Any:
    """The cookie of a session that was opened with a token."""
    with master.client() as client:
        headers = {"Sec-Fetch-Site": "same-origin"}
        client.post("/sign-in", data={"token": token}, headers=headers, allow_redirects=False)
        return {"name": COOKIE, "value": client.cookies[COOKIE], "url": master.url, "secure": True}


def progress(client: Client, claimed: dict[str, Any], percent: float, **more: Any) -> None:
    """Say how far a running job is, as its agent does."""
    told = {"lease_id": claimed["lease_id"], "node_id": claimed["node_id"], "percent": percent, **more}
    answer = client.post(f"/jobs/{claimed['id']}/progress", json=told)
    assert answer.ok, answer.text
