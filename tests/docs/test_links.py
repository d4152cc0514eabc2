"""Every link and every file of ours that the documents name exists, and so does every make target."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, anchor, blocks, headings

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_NAMED = re.compile(r"`((?:agent|common|master|scripts|systemd|tests|docs)/[\w./-]*)`")
_TARGET = re.compile(r"\bmake ([a-z][a-z-]*)\b")
_NOT_OURS = ("https://", "http://")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@every_page
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    for link in _LINK.findall(page.read_text()):
        if link.startswith(_NOT_OURS):
            continue
        path, _, fragment = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if fragment:
            assert fragment in map(anchor, headings(target.read_text())), link


@every_page
def test_every_file_of_ours_that_is_named_exists(page: Path) -> None:
    for name in _NAMED.findall(page.read_text()):
        assert (ROOT / name).exists(), name


@every_page
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    text = page.read_text()
    code = [*(block.text for block in blocks(text)), *re.findall(r"`([^`\n]+)`", text)]
    for line in code:
        assert set(_TARGET.findall(line)) <= targets, line


def test_the_readme_leads_to_every_page() -> None:
    """Directly, or by a page that it leads to: none is hidden."""
    found: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in found:
            continue
        found.add(page)
        links = (link.partition("#")[0] for link in _LINK.findall(page.read_text()))
        waiting += [
            (page.parent / link).resolve() for link in links if link.endswith(".md") and "//" not in link
        ]
    assert found == set(PAGES)
