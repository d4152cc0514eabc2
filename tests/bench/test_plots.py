"""Each pair that was measured is a bar, and a section of which something was measured has a plot."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import plots, sections
from tests.bench.support import result, row, subject, taken

ROWS = [
    row("a", against=(subject("slow"), subject("absent"))),
    row("b", against=(subject("slow"),), better="less"),
    row("c"),
]


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    section = sections.Section("A heading", "bench.some_rows", "")
    monkeypatch.setattr(plots, "SECTIONS", (section,))
    monkeypatch.setattr(plots, "gathered", lambda _section, quick: [] if quick else ROWS)


RESULTS = {
    "a": result(taken("ours", 8.0), taken("slow", 2.0), taken("absent"), key="a"),
    "b": result(taken("ours", 3.0), taken("slow", 6.0), key="b"),
    "c": result(taken("ours", 3.0), key="c"),
}


def test_a_pair_of_figures_is_a_bar_and_what_has_no_pair_is_none() -> None:
    assert plots.bars(ROWS, RESULTS) == [
        ("Title of a\nbeside slow", 4.0, True),
        ("Title of b\nbeside slow", 0.5, False),
    ]


@pytest.mark.usefixtures("rows")
def test_a_plot_is_drawn_the_same_each_time_and_one_that_is_out_of_date_goes(tmp_path: Path) -> None:
    (tmp_path / "bench-older.svg").touch()
    plots.draw(RESULTS, tmp_path)
    (drawn,) = tmp_path.iterdir()
    assert drawn.name == "bench-some-rows.svg"
    first = drawn.read_text()
    assert "Title of a" in first
    plots.draw(RESULTS, tmp_path)
    assert drawn.read_text() == first
    assert plots.pictures(RESULTS) == {"bench.some_rows": drawn.name}
    plots.draw({}, tmp_path)
    assert list(tmp_path.iterdir()) == []
