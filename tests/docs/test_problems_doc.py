"""docs/problems.md lists the problem types of the code, in its order."""

from __future__ import annotations

from common import problems
from tests.docs.tables import example, names, page, table

ROWS = table(page("problems.md"), "problem")


def test_the_table_is_that_of_the_code() -> None:
    assert names(ROWS) == [each.slug for each in problems.ALL]
    assert [(int(row[1]), row[2]) for row in ROWS] == [(each.status, each.title) for each in problems.ALL]


def test_every_row_says_what_to_do() -> None:
    assert all(len(row) == 4 and row[3] for row in ROWS)


def test_the_example_is_what_the_code_makes() -> None:
    shown = example(page("problems.md"))
    assert problems.UNKNOWN_JOB(shown["detail"]).body(shown["request_id"]) == shown
