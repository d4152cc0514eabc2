"""The tables are made once, whoever comes first, and a program that is too old for them says so."""

from __future__ import annotations

from functools import partial

import psycopg
import pytest

from master.store.errors import StoreError
from master.store.postgres.migrating import migrations
from master.store.postgres.store import PostgresStore
from tests.databases import Server
from tests.store.postgresql.conftest import at_once


def opened(url: str) -> None:
    PostgresStore(url).close()


def test_they_are_numbered_from_1_without_a_hole() -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_masters_that_start_at_once_make_the_tables_once(postgresql: Server) -> None:
    url = postgresql.new_schema()
    at_once(*[partial(opened, url)] * 3)
    with psycopg.connect(url) as connection:
        rows = connection.execute("select number from migrations order by number").fetchall()
        farms = connection.execute("select count(*) from farm").fetchall()
    assert [number for (number,) in rows] == [number for number, _ in migrations()]
    assert farms == [(1,)]


def test_tables_of_a_newer_program_are_left_alone(postgresql: Server) -> None:
    url = postgresql.new_schema()
    opened(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("insert into migrations (number) values (9999)")
    with pytest.raises(StoreError, match="made by a newer one"):
        opened(url)


def test_a_database_that_cannot_be_reached_is_named_in_a_sentence(postgresql: Server) -> None:
    with pytest.raises(StoreError, match="PostgreSQL cannot be used"):
        opened(postgresql.url.replace("host=", "host=/nowhere/"))
