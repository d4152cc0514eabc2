"""Chromium shows the page on a phone without scrolling sideways; plots can be read, in the dark too."""

from __future__ import annotations

import html
import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from master.operator.report import content
from master.operator.report.command import rendered
from master.operator.report.source import Records
from tests.browser import browser
from tests.report.invented import experiment

LOOK = """
<script>
const sizes = [...document.querySelectorAll("svg.plot text")].map(t => t.getBoundingClientRect().height);
const lines = [...document.querySelectorAll("svg.plot use")].map(u => u.getBoundingClientRect().width);
const answer = {
  width: document.documentElement.scrollWidth, window: innerWidth,
  smallest: Math.min(...sizes), texts: sizes.length, marks: lines.filter(w => w > 1).length,
  ink: getComputedStyle(document.querySelector("svg.plot text")).fill,
  paper: getComputedStyle(document.body).backgroundColor,
};
document.body.dataset.answer = JSON.stringify(answer);
</script>
"""
"""The page forbids scripts; a copy without that rule is looked at."""


def seen(tmp_path: Path, *flags: str) -> dict[str, Any]:
    name = "media:films/" + "a-very-long-name-" * 8 + ".mkv"
    records = list(experiment(inputs=(name,), nodes=("a", "b")))
    told = content.content(Records(list(records)), "Title", datetime(2026, 5, 2, tzinfo=UTC))
    text, count = re.subn(r"<meta http-equiv=[^>]*>", "", rendered(told, "html"))
    assert count == 1
    page = tmp_path / "page.html"
    page.write_text(text.replace("</body>", f"{LOOK}</body>"))
    command = [browser(), "--headless", "--no-sandbox", "--disable-gpu"]
    command.append(f"--user-data-dir={tmp_path}/profile")
    done = subprocess.run(
        [*command, *flags, "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    match = re.search(r'data-answer="([^"]*)"', done.stdout)
    assert match, done.stderr
    return dict(json.loads(html.unescape(match[1])))


def test_on_a_phone_nothing_is_wider_than_the_screen_and_plots_can_be_read(tmp_path: Path) -> None:
    found = seen(tmp_path, "--window-size=390,844")
    assert found["window"] <= 500
    assert found["width"] <= found["window"]
    assert found["texts"] > 20
    assert found["smallest"] >= 9
    assert found["marks"] >= 20


@pytest.mark.parametrize(
    ("scheme", "ink", "paper"),
    [("1", "rgb(28, 32, 36)", "rgb(255, 255, 255)"), ("0", "rgb(232, 235, 238)", "rgb(20, 23, 26)")],
    ids=["light", "dark"],
)
def test_the_colours_are_those_that_the_reader_prefers(
    tmp_path: Path, scheme: str, ink: str, paper: str
) -> None:
    found = seen(tmp_path, f"--blink-settings=preferredColorScheme={scheme}")
    assert (found["ink"], found["paper"]) == (ink, paper)
