"""axe-core finds nothing wrong with the first pages, in dark and light, and a phone shows them whole."""

from __future__ import annotations

import pytest

from tests.api.corner import Corner, got
from tests.dashboard.conftest import Open, progress
from tests.dashboard.looks import look
from tests.masters import Client, Master


def test_the_form_to_sign_in(visit: Open) -> None:
    look(visit, "/", token=None)


@pytest.mark.parametrize("path", ["/", "/ui/jobs?new=1", "/ui/jobs?after=x"])
def test_a_page(visit: Open, corner: Corner, client: Client, master: Master, path: str) -> None:
    _, claimed = corner.start()
    progress(client, claimed, 10, fps=25.0, speed=1.5)
    with master.client() as stranger:
        stranger.post("/nodes/register", json={"address": "x" * 60, "credential": claimed["id"] * 2})
    look(visit, path)
    corner.fail(claimed)


@pytest.mark.parametrize("path", ["/", "/ui/jobs"])
def test_the_header_takes_two_lines_of_a_small_phone(visit: Open, client: Client, path: str) -> None:
    made = got(
        client.post("/tokens", json={"role": "viewer", "name": f"somebody-{'x' * 40}-{len(path)}"}), 201
    )
    page = visit(path, made["token"], viewport={"width": 360, "height": 740})
    height = page.locator("header.top").bounding_box()
    assert height is not None
    assert height["height"] <= 90
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
