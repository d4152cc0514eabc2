"""docs/reliability.md names a test for each promise, and every test that injects a fault."""

from __future__ import annotations

import re

from tests.docs.markdown import ROOT
from tests.docs.tables import page, table

PAGE = page("reliability.md")
NAMED = set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE))


def test_every_promise_has_a_test_that_exists() -> None:
    rows = [row for part in PAGE.split("\n## ") for row in table(part, "promise")]
    assert len(rows) > 30
    for promise, tests in rows:
        paths = re.findall(r"`(tests/[\w/]+\.py)`", tests)
        assert paths, promise
        for path in paths:
            assert (ROOT / path).is_file(), path


def test_every_fault_that_is_injected_is_named() -> None:
    faults = {str(path.relative_to(ROOT)) for path in (ROOT / "tests/faults").rglob("test_*.py")}
    assert faults <= NAMED
