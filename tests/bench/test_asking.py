"""`python -m bench` measures the rows that are asked for, and knows all of them."""

from __future__ import annotations

import re

import pytest

from bench.__main__ import arguments, chosen
from bench.sections import every_row


@pytest.mark.parametrize(
    ("wanted", "yes"), [("a-b", True), ("a-", True), ("a", False), ("a-b-", False), ("b-", False)]
)
def test_a_word_means_a_row_or_all_that_begin_so(wanted: str, yes: bool) -> None:
    assert chosen("a-b", wanted) is yes


def test_a_row_that_does_not_exist_is_a_mistake_and_nothing_is_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ending:
        arguments(["--only", "serving-bare", "no-such-row"])
    assert ending.value.code == 2
    assert "there is no row no-such-row; --list prints all" in capsys.readouterr().err


def test_every_row_has_a_key_of_its_own_and_subjects_with_different_names() -> None:
    rows = every_row(quick=False)
    for row in rows:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row.key), row.key
        names = [subject.name for subject in row.subjects]
        assert len(set(names)) == len(names), row.key
        assert {target.against for target in row.targets} <= {None, *names[1:]}, row.key


def test_a_run_of_all_rows_ends_before_they_can_take_half_a_day() -> None:
    assert sum(row.limit for row in every_row(quick=False)) < 12 * 3600
    assert sum(row.limit for row in every_row(quick=True)) < 3 * 3600
