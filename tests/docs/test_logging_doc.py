"""docs/logging.md has the fields, formats and levels of the code, and an example as the code writes it."""

from __future__ import annotations

from common.logs import FIELDS, LOG_FORMATS, LOG_LEVELS
from tests.docs.tables import example, names, page, sections, table

PAGE = page("logging.md")
SECTIONS = sections(PAGE)


def test_the_fields_are_those_of_the_code_in_its_words() -> None:
    rows = table(SECTIONS["Lines in JSON"], "field")
    assert dict(zip(names(rows), (row[1] for row in rows), strict=True)) == dict(FIELDS)


def test_the_example_has_these_fields_in_their_order() -> None:
    shown = list(example(SECTIONS["Lines in JSON"]))
    assert shown[:4] == ["time", "level", "logger", "message"]
    assert shown[4:] == [name for name in FIELDS if name in shown]


def test_the_levels_are_those_of_the_flag_and_the_one_above_them() -> None:
    assert names(table(SECTIONS["Levels"], "level")) == ["critical", *reversed(LOG_LEVELS)]


def test_the_formats_are_named() -> None:
    assert all(f"`--log-format {form}`" in PAGE for form in LOG_FORMATS)
