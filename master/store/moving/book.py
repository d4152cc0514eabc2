"""How far webhooks were told, as rows: the same ones in SQLite and in PostgreSQL (`master.webhooks.book`)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from master.webhooks.file_book import FileBook

_STANDING = ("webhook_id", "told", "replays", "failures", "failing_since", "next_try")
_WISH = ("webhook_id", "message_id", "seq")
_TRY = (
    "webhook_id", "message_id", "seq", "event", "number", "at", "duration", "status", "error", "next_try",
)  # fmt: skip


class Line(NamedTuple):
    """A row of the book."""

    sort: str
    """One of `SORTS`."""
    values: tuple[str | int | float | None, ...]


class Sort(NamedTuple):
    """Rows of one sort: where they are, and in which order they came."""

    in_file: str
    in_database: str
    columns: tuple[str, ...]
    order: str


SORTS = {
    "standing": Sort("standing", "webhook_standings", _STANDING, "webhook_id"),
    "wish": Sort("wish", "webhook_wishes", _WISH, "id"),
    "try": Sort("try", "webhook_tries", _TRY, "id"),
}


def read(path: Path) -> Iterator[Line]:
    """All rows of a book in a file; none if there is no such file. sqlite3.Error if it cannot be read."""
    if not path.exists():
        return
    with closing(sqlite3.connect(path)) as connection:
        for name, sort in SORTS.items():
            question = f"SELECT {', '.join(sort.columns)} FROM {sort.in_file} ORDER BY {sort.order}"  # noqa: S608 - our own
            yield from (Line(name, row) for row in connection.execute(question))


def write(path: Path, lines: Iterable[Line]) -> None:
    """Make the file with these rows, if there are any; durably."""
    connection: sqlite3.Connection | None = None
    for line in lines:
        if connection is None:
            FileBook(path).close()
            connection = sqlite3.connect(path)
        sort = SORTS[line.sort]
        connection.execute(
            f"INSERT INTO {sort.in_file} ({', '.join(sort.columns)}) "  # noqa: S608 - our own
            f"VALUES ({', '.join('?' * len(sort.columns))})",
            line.values,
        )
    if connection is not None:
        connection.commit()
        connection.close()
