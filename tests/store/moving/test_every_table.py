"""Each table is one that a move fills or empties, or one that is known to stay as it is."""

from __future__ import annotations

import psycopg

from master.store.postgres import filling
from master.store.postgres.store import PostgresStore
from tests.databases import Server

STAYS = {"farm", "migrations"}
"""`farm` has one row, which is changed."""


def test_no_table_is_forgotten(postgresql: Server) -> None:
    url = postgresql.new_schema()
    PostgresStore(url).close()
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select tablename from pg_tables where schemaname = current_schema()"
        ).fetchall()
    assert {name for (name,) in found} == {*filling.TABLES, *STAYS}
