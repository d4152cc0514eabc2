"""docs/cli.md says of the operator's command what the command does."""

from __future__ import annotations

import re

from master.operator.exits import MEANINGS, Exit
from master.operator.formats import FORMATS
from tests.docs.markdown import ROOT

PAGE = (ROOT / "docs/cli.md").read_text()


def _section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_table_of_exit_codes_is_that_of_the_program() -> None:
    told = dict(re.findall(r"^\| (\d+) \| (.*) \|$", _section("Exit codes"), flags=re.MULTILINE))
    assert told == {str(int(code)): meaning for code, meaning in MEANINGS.items()}
    assert set(MEANINGS) == set(Exit)


def test_the_table_of_formats_has_each() -> None:
    told = re.findall(r"^\| `([a-z]+)` \|", _section("Formats"), flags=re.MULTILINE)
    assert told == list(FORMATS)
