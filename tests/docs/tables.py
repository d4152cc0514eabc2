"""Reads the reference pages: their sections, tables and examples."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text()


def sections(text: str) -> dict[str, str]:
    """What stands under each second-level heading."""
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)[1:]
    assert len(set(parts[::2])) == len(parts) // 2, "a heading occurs twice"
    return dict(zip(parts[::2], parts[1::2], strict=True))


def table(text: str, first_column: str) -> list[list[str]]:
    """The rows of the table whose first column has this head; none if there is no such table."""
    found = re.search(rf"^\| {first_column} \|.*\n\|[-|]+\n((?:\|.*\n)*)", text, flags=re.MULTILINE)
    if found is None:
        return []
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines()]


def names(rows: list[list[str]]) -> list[str]:
    """The first cells, without their backticks."""
    for row in rows:
        assert re.fullmatch(r"`[^`]+`", row[0]), row
    return [row[0].strip("`") for row in rows]


def example(text: str) -> Any:
    """The JSON of the first example."""
    found = re.search(r"^```json\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert found is not None
    return json.loads(found[1])
