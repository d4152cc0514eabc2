"""What README.md promises in numbers and names is so."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from common.scenarios import CATALOGUE
from scripts.demo import JOBS
from tests.docs.markdown import ROOT, blocks

README = (ROOT / "README.md").read_text()


def test_the_number_of_scenarios_is_right_wherever_it_is_told() -> None:
    told = [
        number
        for name in ("README.md", "CHANGELOG.md", "docs/guide.md")
        for number in re.findall(r"\b(\d+) scenarios|all\s+(\d+)\. Parameters", (ROOT / name).read_text())
    ]
    assert len(told) >= 3
    assert {int(number) for pair in told for number in pair if number} == {len(CATALOGUE)}


def test_the_demo_that_is_shown_is_the_demo_that_runs() -> None:
    shown = next(block.text for block in blocks(README) if "Submitting the guide" in block.text)
    scenarios = [job["scenario"] for job in JOBS]
    assert re.findall(r"^[0-9a-f-]{36}  (\S+)", shown, flags=re.MULTILINE) == scenarios
    assert shown.count("✓") == len(JOBS)
    assert f"All {len(JOBS)} jobs were encoded and verified." in shown


def test_the_picture_is_well_formed_and_says_what_it_shows() -> None:
    picture = ElementTree.parse(ROOT / "docs/images/architecture.svg").getroot()
    inside = {child.tag.rpartition("}")[2] for child in picture}
    assert {"title", "desc"} <= inside
