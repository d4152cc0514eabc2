"""Every format that `-o` takes says the same of a record; long lists are written as they come."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from master.operator.formats import Answer, fields, lines, names
from master.operator.tables import table

_RECORDS: list[dict[str, Any]] = [
    {"id": "a1", "name": "on: off", "size": 3, "metrics": {"fps": 61.5}, "tags": ["x", "y"], "gone": None},
    {"id": "a2", "name": "2026-01-01", "size": None, "metrics": None, "tags": [], "gone": None},
]
_FIELDS = fields("id name size=size_bytes metrics.fps tags")


def _text(form: str, document: Any) -> str:
    return "".join(lines(Answer(document, lambda: None, _FIELDS), form))


@pytest.mark.parametrize("records", [[], _RECORDS[:1], _RECORDS, _RECORDS[0]])
def test_json_is_the_documents_as_the_api_has_them(records: Any) -> None:
    assert _text("json", records) == json.dumps(records, indent=2) + "\n"


@pytest.mark.parametrize("records", [[], _RECORDS[:1], _RECORDS, _RECORDS[0]])
def test_yaml_reads_as_the_same_documents(records: Any) -> None:
    assert yaml.safe_load(_text("yaml", records)) == records


def test_yaml_writes_what_is_there_twice_without_references() -> None:
    shared = {"a": [1]}
    assert "&" not in _text("yaml", {"one": shared, "two": shared})


def test_csv_has_a_header_with_units_and_a_line_for_each_record() -> None:
    assert _text("csv", _RECORDS).splitlines() == [
        "id,name,size_bytes,metrics.fps,tags",
        "a1,on: off,3,61.5,x; y",
        "a2,2026-01-01,,,",
    ]


def test_csv_of_no_record_is_the_header_alone() -> None:
    assert _text("csv", []) == "id,name,size_bytes,metrics.fps,tags\n"


def test_csv_of_one_document_has_a_column_for_each_value_in_it() -> None:
    text = "".join(lines(Answer(_RECORDS[0], lambda: None), "csv"))
    assert list(csv.reader(io.StringIO(text))) == [
        ["id", "name", "size", "metrics.fps", "tags", "gone"],
        ["a1", "on: off", "3", "61.5", "x; y", ""],
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_text_is_no_formula_to_a_spreadsheet(text: str) -> None:
    assert _text("csv", [{"id": text}]).splitlines()[1].startswith(f"'{text}")


def test_a_number_below_zero_is_a_number_in_csv() -> None:
    assert _text("csv", [{"id": "a", "size": -3.5}]).splitlines()[1] == "a,,-3.5,,"


def test_a_record_is_one_line_of_csv_whatever_is_in_it() -> None:
    text = _text("csv", [{"id": "a", "name": 'two\nlines, "quoted"\x1b[31m'}])
    assert text.splitlines()[1] == r'a,"two\x0alines, ""quoted""\x1b[31m",,,'


def test_quiet_prints_ids_and_nothing_of_what_has_none() -> None:
    assert list(names(Answer([*_RECORDS, {"name": "x"}], lambda: None))) == ["a1\n", "a2\n"]
    assert list(names(Answer({"sha256": "ff"}, lambda: None, name="sha256"))) == ["ff\n"]


@pytest.mark.parametrize("form", ["json", "yaml", "csv"])
def test_the_first_record_is_written_before_the_last_was_read(form: str) -> None:
    def endless() -> Iterator[dict[str, Any]]:
        while True:
            yield _RECORDS[0]

    pieces = lines(Answer(endless(), lambda: None, _FIELDS), form)
    assert "a1" in next(pieces) + next(pieces)


def test_a_table_in_a_pipe_is_as_wide_as_it_needs_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"id": "a", "note": "x" * 500}, {"id": "bbbb", "note": "日本"}]
    table(rows, [("ID", lambda r: r["id"]), ("NOTE", lambda r: r["note"])], "none").show()
    assert capsys.readouterr().out.splitlines() == ["ID    NOTE", f"a     {'x' * 500}", "bbbb  日本"]


def test_a_program_that_reads_a_table_of_nothing_reads_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    table([], [("ID", lambda r: r["id"])], "There are none.").show()
    assert capsys.readouterr() == ("", "There are none.\n")
