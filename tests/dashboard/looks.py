"""How a page is looked at: by axe-core, in dark and light, and at a phone's width."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.dashboard.conftest import Open
from tests.masters import ROOT
from tests.parts import missing

AXE = ROOT / "tests/player/node_modules/axe-core/axe.min.js"
PHONE = {"width": 390, "height": 844}


def violations(page: Page) -> list[Any]:
    """What axe-core finds wrong with the page, by rule and place."""
    if not AXE.exists():
        missing("there is no axe-core (scripts/setup.sh --tests brings it)")
    # Evaluated by the browser's own tools: the page's policy does not let it in as a script.
    page.evaluate(AXE.read_text() + "; undefined")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [(each["id"], [node["target"] for node in each["nodes"]][:5]) for each in found]


def look(visit: Open, path: str, **options: Any) -> None:
    """Nothing is wrong with the page in light, nor in dark on a phone, where nothing scrolls sideways."""
    page = visit(path, color_scheme="light", **options)
    assert violations(page) == [], path
    page.context.close()
    page = visit(path, color_scheme="dark", viewport=PHONE, **options)
    assert violations(page) == [], (path, "dark")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"], (path, width)
    page.context.close()
