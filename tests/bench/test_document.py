"""The page says of each row what was found, beside what, whether that is enough, and how far to trust it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench import document
from bench.rig import Row, Sample, Target
from tests.bench.support import CONDITIONS, result, row, subject, taken


def lines(asked: Row, *subjects: object, **more: object) -> list[list[str]]:
    """The cells of the row's lines."""
    found = result(*subjects, **more) if subjects else None  # type: ignore[arg-type]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in document.lines(asked, found)]


def test_a_row_says_its_figure_the_others_their_ratio_the_aim_and_whether_it_is_met() -> None:
    asked = row(against=(subject("slow"),), targets=(Target(least=2.0, against="slow"),))
    assert lines(asked, taken("ours", 9.0, 10.0, 11.0), taken("slow", 4.0, 4.0)) == [
        ["`key`", "Title of key", "10 jobs/s ± 10%", "slow", "4 jobs/s ± 0%", "2.5×", "at least 2×", "yes"]
    ]


def test_a_target_that_is_missed_says_so() -> None:
    asked = row(against=(subject("slow"),), targets=(Target(least=3.0, against="slow"),))
    assert lines(asked, taken("ours", 10.0), taken("slow", 4.0))[0][-1] == "no"


def test_what_is_aimed_at_alone_has_a_line_of_its_own() -> None:
    asked = row(
        against=(subject("a"), subject("b")), targets=(Target(most=20.0), Target(least=2.0, against="b"))
    )
    found = lines(asked, taken("ours", 10.0), taken("a", 5.0), taken("b", 10.0))
    assert [line[3:] for line in found] == [
        ["", "", "", "at most 20 jobs/s", "yes"],
        ["a", "5 jobs/s", "2×", "", ""],
        ["b", "10 jobs/s", "1×", "at least 2×", "no"],
    ]


def test_what_was_not_measured_is_not_shown_as_a_figure() -> None:
    asked = row(against=(subject("b"),), targets=(Target(least=2.0, against="b"),))
    assert lines(asked)[0][2:] == ["not measured yet", "b", "", "", "at least 2×", ""]
    given_up = replace(result(taken("ours"), taken("b", 1.0)), error="LateError: it took more than 5 s")
    (line,) = document.lines(asked, given_up)
    assert "given up: LateError: it took more than 5 s" in line
    assert "unknown" in line
    absent = replace(taken("b"), missing="redis-server")
    assert lines(asked, taken("ours", 1.0), absent)[0][4:] == [
        "not there: redis-server",
        "",
        "at least 2×",
        "unknown",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (0.00123, "0.0012"),
        (0.5, "0.5"),
        (1.234, "1.23"),
        (12.34, "12.3"),
        (999.6, "1,000"),
        (15234.0, "15,234"),
    ],
)
def test_numbers_have_three_digits_that_tell_something(value: float, shown: str) -> None:
    assert document.number(value) == shown


def test_notes_and_other_figures_stand_below_the_table() -> None:
    asked = row(note="Of a full run.")
    assert list(document.details(asked, None)) == ["- `key`: Of a full run."]
    found = replace(
        result(taken("ours", Sample(1.0, {"p99, ms": 2.5, "woken": 1.0}))), note="Synced each time."
    )
    assert list(document.details(asked, found)) == ["- `key`: Synced each time. ours: p99 2.5 ms, woken 1."]
    assert list(document.details(row(), result(taken("ours", 1.0)))) == []


def test_the_page_counts_what_is_met_missed_and_unknown() -> None:
    rows = [
        row("a", targets=(Target(least=1.0), Target(least=5.0))),
        row("b", targets=(Target(most=1.0),)),
        row("c"),
    ]
    assert document.tally(rows, {"a": result(taken("ours", 2.0), key="a")}) == (
        "Of 3 figures that are aimed at, 1 are met, 1 are not, and 1 are not known."
    )


def test_figures_of_a_quiet_full_run_are_called_so() -> None:
    assert document.verdict([result()], rows=1) == "**All rows are from full runs on a quiet machine.**"


@pytest.mark.parametrize(
    ("conditions", "rows", "doubt"),
    [
        (replace(CONDITIONS, quick=True), 1, "1 were measured with `--quick`"),
        (replace(CONDITIONS, busy=(0.0, 0.5)), 1, "during 1 other programs used the machine"),
        (CONDITIONS, 3, "2 of 3 rows are not measured yet"),
    ],
)
def test_figures_of_other_runs_are_called_what_they_are(conditions: object, rows: int, doubt: str) -> None:
    said = document.verdict([result(conditions=conditions)], rows)  # type: ignore[arg-type]
    assert said.startswith("**These are not the figures of a full run on a quiet machine:**")
    assert doubt in said
