"""The page is whole in itself, tells only what was measured, and shows names as they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from master.operator.report import content
from master.operator.report.command import rendered
from master.operator.report.source import Records
from tests.report.invented import RATES, WAYS, experiment, record

NOW = datetime(2026, 5, 2, 8, 0, tzinfo=UTC)
EVIL = "media:films/</title><script>alert(1)</script>\"'&$x_1$.mkv"


class Page(HTMLParser):
    """The elements of a page, and the texts in them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def prose(self) -> str:
        return " ".join("".join(self.words).split())

    def count(self, tag: str, **attributes: str) -> int:
        return sum(
            1 for t, a in self.elements if t == tag and all(a.get(k) == v for k, v in attributes.items())
        )


def page(records: Sequence[dict[str, Any]], *, waiting: int = 0, title: str = "Title") -> Page:
    found = Records(list(records), waiting, "https://master:8080")
    return Page(rendered(content.content(found, title, NOW), "html"))


@pytest.fixture(scope="module")
def whole() -> Page:
    return page(list(experiment(inputs=(None, EVIL), nodes=("worker-1", "<b>2</b>"), repeats=2)), title=EVIL)


def test_nothing_is_loaded_from_anywhere_and_nothing_runs(whole: Page) -> None:
    assert whole.count("script") == whole.count("link") == whole.count("img") == whole.count("iframe") == 0
    policy = next(a["content"] for t, a in whole.elements if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    for _, attributes in whole.elements:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href", "action"):
            assert (attributes.get(name) or "#").startswith("#")
    assert not re.search(r"@import|url\((?!#)", whole.text)


def test_names_are_shown_as_they_are_and_are_no_markup(whole: Page) -> None:
    assert EVIL in whole.prose
    assert "<b>2</b>" in whole.prose
    assert whole.count("title") == 1 + whole.count("svg", role="img")
    assert "<script" not in whole.text


def test_every_plot_says_what_it_shows_and_has_a_table_behind_it(whole: Page) -> None:
    plots = [a for t, a in whole.elements if t == "svg" and a.get("role") == "img"]
    # For each clip: the curve, the speed on each node, energy and cost.
    assert len(plots) == 2 * (1 + 2 + 2)
    ids = {a["id"] for _, a in whole.elements if a.get("id")}
    for plot in plots:
        assert set((plot["aria-labelledby"] or "").split()) <= ids
        assert plot["viewbox"]
        assert "width" not in plot
    assert whole.count("figure") == whole.count("figcaption") == len(plots)
    rows = len(WAYS) * len(RATES) * 2 * 2
    assert len(re.findall(r"[\d,]+ kbit/s</td>", whole.text)) == rows


def test_no_id_is_there_twice_and_all_that_is_referred_to_is_there(whole: Page) -> None:
    ids = Counter(a["id"] for _, a in whole.elements if a.get("id"))
    assert [name for name, count in ids.items() if count > 1] == []
    used = re.findall(r'(?:href="#|url\(#)([^")]+)', whole.text)
    assert used
    assert set(used) <= ids.keys()


def test_plots_take_the_colours_of_the_page_so_that_they_are_seen_in_the_dark(whole: Page) -> None:
    drawn = re.findall(r'<svg [^>]*class="plot".*?</svg>', whole.text, flags=re.DOTALL)
    assert drawn
    for svg in drawn:
        assert "var(--ink)" in svg
        assert "var(--line0)" in svg
        assert re.findall(r"(?:fill|stroke): ?#(?!ffffff)\w+", svg) == []


def test_every_number_has_its_n_and_its_interval(whole: Page) -> None:
    cells = re.findall(r'<td class="n">([^<]*)(<small>[^<]*</small>)?</td>', whole.text)
    # Of a single comparison n is beside the names.
    measured = [(number, small) for number, small in cells if "." in number and "%" not in number]
    assert len(measured) > 100
    assert all(re.search(r"[\d.,]+ to [\d.,]+, n = \d+", small) for _, small in measured)


def test_what_nobody_measured_has_no_column_or_a_dash_and_is_never_zero() -> None:
    shown = page(
        [
            record(job_id="1", metrics={"speed": 2.0, "duration": 10.0, "vmaf_mean": 90.0, "bitrate": 1e6}),
            record(job_id="2", parameters={"preset": "slow"}, metrics={"speed": 1.0, "energy_joules": 5.0}),
        ]
    )
    assert "No energy was measured" in shown.prose
    assert "PSNR" not in shown.prose
    assert '<td class="n">–</td>' in shown.text
    assert not re.search(r'<td class="n">0(\.0+)?<', shown.text)


def test_without_any_quality_it_says_how_to_ask_for_it_and_still_draws_the_speed() -> None:
    shown = page([record(job_id="1"), record(job_id="2", parameters={"preset": "slow"})])
    assert "No quality was measured. Ask for it with quality: [vmaf]." in shown.prose
    assert shown.count("svg", role="img") == 1


def test_with_no_results_there_is_one_clear_line() -> None:
    shown = page([], waiting=3)
    assert (
        "There is nothing to report yet: no job that was asked for is completed. 3 wait or run."
        in shown.prose
    )
    assert shown.count("table") == 0


def test_failures_are_counted_by_code() -> None:
    error = {"code": "encoder_missing", "message": "this node cannot use <x>"}
    failed = [record(job_id=str(n), status="failed", metrics=None, error=error) for n in range(2)]
    shown = page([record(job_id="good"), *failed])
    assert "1 encode of 1 clip in 1 way on 1 node. 2 failed." in shown.prose
    assert "encoder_missing2this node cannot use <x>" in shown.prose


def test_too_few_points_are_said_to_be_too_few() -> None:
    shown = page([r for r in experiment() if r["parameters"]["bitrate"] in ("500k", "1000k", "2000k")])
    assert "not enough points: 3 and 3, and each needs 4" in shown.prose
    assert "No pair can be compared" in shown.prose


def test_the_same_results_make_the_same_page() -> None:
    records = list(experiment())
    assert page(records).text == page(records).text
