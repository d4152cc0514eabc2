"""The tables, as they change from version to version: numbered files, each carried out once, in order."""

from __future__ import annotations

import logging
import re
from importlib import resources

from psycopg import Connection
from psycopg.rows import TupleRow

from common.model import FarmState
from master.store.errors import StoreError
from master.store.formats import FORMAT
from master.store.postgres import locks, rows

log = logging.getLogger(__name__)

_NAME = re.compile(r"(\d{4})_\w+\.sql", re.ASCII)


def migrations() -> list[tuple[int, str]]:
    """The number and the SQL of each, in order."""
    found = []
    for file in resources.files("master.store.postgres").joinpath("migrations").iterdir():
        name = _NAME.fullmatch(file.name)
        if name is not None:
            found.append((int(name[1]), file.read_text(encoding="utf-8")))
    return sorted(found)


def migrate(connection: Connection[TupleRow]) -> None:
    """Bring the tables to this version of the program; one master at a time does it.

    `StoreError` if they are of a newer one.
    """
    known = migrations()
    with connection.transaction():
        locks.take(connection, locks.MIGRATIONS)
        connection.execute(
            "create table if not exists migrations "
            "(number integer primary key, at timestamptz not null default now())"
        )
        row = connection.execute("select coalesce(max(number), 0) from migrations").fetchone()
        done = int(row[0]) if row is not None else 0
        if done > known[-1][0]:
            raise StoreError(
                f"the tables in PostgreSQL are of version {done}, and this program knows {known[-1][0]}: "
                "they were made by a newer one, which has to be used"
            )
        for number, sql in known:
            if number > done:
                connection.execute(sql.encode())
                connection.execute("insert into migrations (number) values (%s)", (number,))
                log.info("the tables in PostgreSQL are of version %d now", number)
        connection.execute(
            "insert into farm (format, record) values (%s, %s) on conflict do nothing",
            (FORMAT, rows.text_of(FarmState())),
        )
