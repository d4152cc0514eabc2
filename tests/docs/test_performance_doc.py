"""docs/performance.md has every row that the bench measures, and says of each what the raw figures say."""

from __future__ import annotations

import re

from bench import document, kept, plots
from bench.sections import SECTIONS, every_row, gathered
from tests.docs.markdown import ROOT, headings

PAGE = (ROOT / "docs" / document.PAGE).read_text()
AGAIN = "write it anew: .venv/bin/python -m bench --write"


def test_the_page_has_exactly_the_rows_that_the_bench_measures() -> None:
    shown = re.findall(r"^\| `([a-z0-9-]+)` \|", PAGE, flags=re.MULTILINE)
    assert list(dict.fromkeys(shown)) == [row.key for row in every_row(quick=False)], AGAIN


def test_the_page_is_what_the_bench_writes_from_the_raw_figures() -> None:
    results = kept.read(ROOT / "docs")
    assert document.written(results, plots.pictures(results)) == PAGE, AGAIN


def test_every_plot_that_the_page_shows_was_drawn_and_no_other_is_kept() -> None:
    named = set(plots.pictures(kept.read(ROOT / "docs")).values())
    assert {path.name for path in (ROOT / "docs/images").glob("bench-*.svg")} == named, AGAIN


def test_every_part_that_measures_has_its_heading() -> None:
    wanted = [section.heading for section in SECTIONS if gathered(section, quick=False)]
    assert [heading for heading in headings(PAGE) if heading in wanted] == wanted, AGAIN


def test_figures_that_are_not_from_a_quiet_full_run_are_called_so() -> None:
    results = kept.read(ROOT / "docs")
    rows = every_row(quick=False)
    good = [r for r in results.values() if r.conditions.quiet and not r.conditions.quick]
    whole = len([row for row in rows if row.key in {each.key for each in good}]) == len(rows)
    assert ("These are not the figures of a full run on a quiet machine" in PAGE) is not whole


def test_a_quick_run_asks_the_same_questions_as_a_full_one() -> None:
    def asked(quick: bool) -> list[tuple[object, ...]]:
        return [
            (row.key, row.unit, row.better, row.targets, [each.name for each in row.subjects])
            for row in every_row(quick)
        ]

    assert asked(quick=True) == asked(quick=False)
