"""A database as a place that records are moved from, or to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import LiteralString

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from common.model import FarmState, Node, Token, Webhook
from master.lifecycle import Record
from master.lifecycle.audit import Entry
from master.store.errors import StoreError
from master.store.moving.contents import Reading
from master.store.moving.left import Departure
from master.store.moving.move import MoveError
from master.store.postgres import departing, facts, locks, rows
from master.store.postgres.connecting import connect
from master.store.postgres.errors import first_line
from master.store.postgres.filling import TABLES, fill
from master.store.postgres.migrating import migrate
from master.store.postgres.rows import COLUMNS, JOB_COLUMNS
from master.store.urls import without_password

_PATIENCE = 2.0
"""Seconds that a master gets which was just stopped."""
_AT_ONCE = 2000
"""Rows that are fetched together."""


class Database:
    """See `master.store.moving.move.Place`. One schema of a database: the first of the search path."""

    def __init__(self, url: str) -> None:
        """It is connected to while it is held."""
        self._url = url
        self._open: Connection[TupleRow] | None = None
        self.name = without_password(url)

    @contextmanager
    def held(self, *, make: bool) -> Iterator[None]:
        """Hold alone what all masters share. `make`: there may be no tables yet."""
        with self._in_our_words(), connect(self._url) as connection:
            if not locks.keep_masters_away(connection, _PATIENCE):
                raise MoveError(f"a master uses {self.name}; stop it first")
            connection.execute(
                "set idle_in_transaction_session_timeout to 0"
            )  # the other place takes its time
            with connection.transaction():
                if not make and not departing.has_table(connection, "farm"):
                    raise MoveError(f"there is no farm in {self.name}")
                migrate(connection)
                # After a restart of the database a master may be there that is not connected yet: each of
                # its transactions begins with this table.
                connection.execute("lock table farm in access exclusive mode")
                self._open = connection
                yield

    def departure(self) -> Departure | None:
        """Where the records went that were here."""
        return departing.departure(self._connection)

    def is_empty(self) -> bool:
        """Whether there are no records, or only those that went elsewhere."""
        if self.departure() is not None:
            return True
        [(farm, kept)] = self._connection.execute(
            "select (select record from farm), exists (select 1 from jobs) or exists (select 1 from nodes) "
            "or exists (select 1 from tokens) or exists (select 1 from webhooks) "
            "or exists (select 1 from happened)"
        ).fetchall()
        return not kept and farm == rows.text_of(FarmState())

    def reading(self) -> Reading:
        """What is here."""
        locks.take(self._connection, locks.NUMBERS)
        facts.number(self._connection)  # a master may have been killed before it could
        return Kept(self._connection)

    @contextmanager
    def filled(self, reading: Reading) -> Iterator[Reading]:
        """Take over what is read, and yield what is here then; all of it is in one transaction."""
        if self.departure() is not None:
            self._connection.execute(f"truncate {', '.join(TABLES)} restart identity".encode())
            self._connection.execute("drop table moved")
        fill(self._connection, reading)
        yield Kept(self._connection)

    def leave(self, gone: Departure) -> None:
        """The records are elsewhere from now on."""
        departing.depart(self._connection, gone)

    @property
    def _connection(self) -> Connection[TupleRow]:
        assert self._open is not None  # noqa: S101 - it is held
        return self._open

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.Error, StoreError) as error:
            text = str(error) if isinstance(error, StoreError) else first_line(error)
            raise MoveError(f"{self.name} cannot be used: {text}") from error


class Kept:
    """What the tables have."""

    def __init__(self, connection: Connection[TupleRow]) -> None:
        """`connection`: nobody else uses it meanwhile."""
        self._connection = connection
        [(history,)] = connection.execute("select coalesce(max(seq), 0) from happened").fetchall()
        self.history = int(history)

    def records(self) -> Iterator[Record]:
        """See `master.store.moving.contents.Reading`."""
        yield rows.row(self._rows(f"select {COLUMNS} from farm")[0], FarmState).record
        for each in self._rows(f"select {COLUMNS} from nodes order by place"):
            yield rows.row(each, Node).record
        for each in self._rows(f"select {COLUMNS} from tokens order by place"):
            yield rows.row(each, Token).record
        for each in self._rows(f"select {COLUMNS} from webhooks order by place"):
            yield rows.row(each, Webhook).record
        for each in self._many(f"select {JOB_COLUMNS} from jobs order by seq"):
            yield rows.job_row(each).record

    def entries(self) -> Iterator[Entry]:
        """See `Reading`."""
        return map(facts.entry_of, self._many(f"select {facts.ENTRY} from happened order by seq"))

    def _rows(self, question: LiteralString) -> Sequence[tuple[object, ...]]:
        return self._connection.execute(question).fetchall()

    def _many(self, question: LiteralString) -> Iterator[tuple[object, ...]]:
        """Row by row: the client does not hold all of them."""
        with self._connection.cursor("moving") as cursor:
            cursor.itersize = _AT_ONCE
            cursor.execute(question)
            yield from cursor
