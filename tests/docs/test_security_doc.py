"""docs/security.md names tests that exist for each protection."""

from __future__ import annotations

import re

from tests.docs.markdown import ROOT
from tests.docs.tables import page, table

PAGE = page("security.md")


def test_every_protection_has_a_test_that_exists() -> None:
    rows = [row for part in PAGE.split("\n## ") for row in table(part, "threat")]
    assert len(rows) > 20
    for threat, _, tests in rows:
        paths = re.findall(r"`(tests/[\w/]+\.py)`", tests)
        assert paths, threat
        for path in paths:
            assert (ROOT / path).is_file(), path
