"""A report is saved as JSON and read again; CSV has a row for each point, and no cell is a formula."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest

from master.operator.report import content
from master.operator.report.command import rendered
from master.operator.report.source import Records, from_files
from tests.report.invented import experiment, record

NOW = datetime(2026, 5, 2, 8, 0, tzinfo=UTC)


def told(*records: dict[str, Any]) -> content.Content:
    return content.content(Records(list(records), 0, "here"), "Title", NOW)


def test_what_is_saved_gives_the_same_report_again(tmp_path: Path) -> None:
    first = told(*experiment(nodes=("a", "b")))
    file = tmp_path / "saved.json"
    file.write_text(rendered(first, "json"))
    again = content.content(from_files([file, file], lambda _: True), "Title", NOW)
    assert again.measured == first.measured
    assert again.bd_rates == first.bd_rates


def test_only_what_is_wanted_is_read(tmp_path: Path) -> None:
    file = tmp_path / "saved.json"
    file.write_text(rendered(told(record(job_id="a"), record(job_id="b", scenario="720p30-h265")), "json"))
    found = from_files([file], lambda r: r["scenario"] == "720p30-h265")
    assert [r["job_id"] for r in found.finished] == ["b"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "Expecting value at line 1"),
        ("[]", "it does not say that it is ffrtmp-report-1"),
        ('{"format": "ffrtmp-report-1", "records": [{}]}', "records: 0."),
        ('{"format": "ffrtmp-report-1", "records": 3}', "records: "),
        ('{"format": "ffrtmp-report-1", "records": [1]}', "records: 0._schema: Invalid input type."),
    ],
)
def test_another_file_is_refused_with_what_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(text)
    with pytest.raises(click.BadParameter) as raised:
        from_files([file], lambda _: True)
    assert complaint in raised.value.message


def test_json_has_null_for_what_is_unknown() -> None:
    document = json.loads(rendered(told(record()), "json"))
    (point,) = document["points"]
    assert point["speed"] == {"mean": 2.0, "low": None, "high": None, "n": 1}
    assert (point["vmaf"], point["energy"], point["currency"]) == (None, None, None)


def test_csv_has_a_row_for_each_point_and_nothing_where_nothing_is_known() -> None:
    rows = list(csv.DictReader(io.StringIO(rendered(told(*experiment(repeats=2)), "csv"))))
    assert len(rows) == 4 * 5
    assert {row["speed_n"] for row in rows} == {"2"}
    assert {row["ssim_mean"] for row in rows} == {""}
    assert all(float(row["vmaf_low"]) <= float(row["vmaf_mean"]) <= float(row["vmaf_high"]) for row in rows)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_name_that_a_spreadsheet_would_compute_is_marked_as_a_text(name: str) -> None:
    rows = list(csv.DictReader(io.StringIO(rendered(told(record(node=name)), "csv"))))
    assert rows[0]["node"] == f"'{name}"
