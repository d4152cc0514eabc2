"""docs/failures.md lists the ways to fail of the code, and the code uses no others."""

from __future__ import annotations

import re
from pathlib import Path

from common.failures import KINDS
from tests.docs.tables import names, page, table

ROOT = Path(__file__).parents[2]


def test_the_table_is_that_of_the_code() -> None:
    rows = table(page("failures.md"), "code")
    assert names(rows) == list(KINDS)
    assert [row[1:] for row in rows] == [
        [*("yes" if flag else "no" for flag in (kind.retry, kind.agent_lost, kind.of_job)), kind.meaning]
        for kind in KINDS.values()
    ]


def test_the_code_uses_no_code_that_is_not_in_the_table() -> None:
    source = "".join(path.read_text() for part in ("agent", "master") for path in (ROOT / part).rglob("*.py"))
    used = set(re.findall(r"Fail(?:ure|edError)\(\s*\"(\w+)\"", source))
    assert {"node_lost", "encoder_error", "canceled"} <= used
    assert used <= set(KINDS)
