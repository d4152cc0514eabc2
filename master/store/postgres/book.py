"""How far each webhook was told, in tables: whichever master tells, it goes on where the last one was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import TupleRow

from master.store.postgres.borrowing import Borrow
from master.webhooks.book import KEPT_TRIES, KEPT_WISHES, Book, Standing, Try, Wish

_STANDING: LiteralString = "told, replays, failures, failing_since, next_try"
_TRY: LiteralString = "message_id, seq, event, number, at, duration, status, error, next_try"
_AS_BEFORE: LiteralString = (
    # A master that was cut off and comes back late does not move what another has done since.
    "where webhook_id = %s and replays = %s and told < %s"
)
_FORGIVEN: LiteralString = "replays = replays + 1, failures = 0, failing_since = null, next_try = null"
_LOCKED: LiteralString = "select 1 from webhook_standings where webhook_id = %s for update"


class TableBook:
    """See `master.webhooks.book.Book`. What is asked within a transaction is done with that."""

    def __init__(self, borrow: Borrow) -> None:
        """`borrow`: what to ask with."""
        self._borrow = borrow
        # Records that were moved here have no book; all others have one that is as old as they are.
        found = self._rows(
            "select exists (select 1 from webhooks) and not exists (select 1 from webhook_standings)"
        )
        self.is_new = bool(found[0][0])

    def close(self) -> None:
        """The store closes what there is."""

    def take_over(self, other: Book) -> None:
        """Go on where another book was: of the master that had the records before they came here."""
        with self._borrow(None) as (connection, _), connection.transaction():
            for (webhook_id,) in connection.execute("select id from webhooks").fetchall():
                known = other.standing(webhook_id)
                if known is not None:
                    connection.execute(
                        f"insert into webhook_standings (webhook_id, {_STANDING}) "
                        "values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
                        (webhook_id, *astuple(known)),
                    )
                    self.is_new = False

    def begin(self, webhook_id: str, told: int) -> None:
        """Let a webhook begin behind event number `told`, if the book does not know it yet."""
        self._do(
            "insert into webhook_standings (webhook_id, told) values (%s, %s) on conflict do nothing",
            webhook_id,
            told,
        )

    def standing(self, webhook_id: str) -> Standing | None:
        """How far a webhook is; None if the book does not know it."""
        found = self._rows(f"select {_STANDING} from webhook_standings where webhook_id = %s", webhook_id)
        return Standing(*found[0]) if found else None

    def passed(self, webhook_id: str, told: int, replays: int) -> None:
        """It wants nothing of what is up to `told`."""
        self._do(f"update webhook_standings set told = %s {_AS_BEFORE}", told, webhook_id, replays, told)

    def taken(self, webhook_id: str, found: Try, replays: int) -> None:
        """Its receiver has the event; if it was set back meanwhile, it will get it again."""
        with self._borrow(None) as (connection, _), connection.transaction():
            connection.execute(
                "update webhook_standings set told = %s, failures = 0, failing_since = null, next_try = null "
                f"{_AS_BEFORE}",
                (found.seq, webhook_id, replays, found.seq),
            )
            _note(connection, webhook_id, found)

    def failed(self, webhook_id: str, found: Try, since: float, replays: int) -> None:
        """Its receiver did not take the event; it has been failing `since` then (seconds since 1970)."""
        with self._borrow(None) as (connection, _), connection.transaction():
            connection.execute(
                f"update webhook_standings set failures = %s, failing_since = %s, next_try = %s {_AS_BEFORE}",
                (found.number, since, found.next_try, webhook_id, replays, found.seq),
            )
            _note(connection, webhook_id, found)

    def forgive(self, webhook_id: str) -> None:
        """Try again at once, as if nothing had failed."""
        self._do(f"update webhook_standings set {_FORGIVEN} where webhook_id = %s", webhook_id)

    def set_back(self, webhook_id: str, told: int) -> None:
        """Let it go on behind event number `told`, at once."""
        self._do(
            f"update webhook_standings set told = %s, {_FORGIVEN} where webhook_id = %s", told, webhook_id
        )

    def wish(self, webhook_id: str, message_id: str, seq: int | None) -> bool:
        """Note what a person asks for; False if too much of it waits already."""
        with self._borrow(None) as (connection, _), connection.transaction():
            connection.execute(_LOCKED, (webhook_id,))  # who asks at once is counted one after the other
            done = connection.execute(
                "insert into webhook_wishes (webhook_id, message_id, seq) select %s, %s, %s "
                "where (select count(*) from webhook_wishes where webhook_id = %s) < %s",
                (webhook_id, message_id, seq, webhook_id, KEPT_WISHES),
            )
            return done.rowcount == 1

    def next_wish(self, webhook_id: str) -> Wish | None:
        """The oldest that waits."""
        found = self._rows(
            "select id, message_id, seq from webhook_wishes where webhook_id = %s order by id limit 1",
            webhook_id,
        )
        return Wish(*found[0]) if found else None

    def wish_done(self, webhook_id: str, wish_id: int, found: Try | None) -> None:
        """It was tried; or (None) it is about nothing that could be sent."""
        with self._borrow(None) as (connection, _), connection.transaction():
            connection.execute("delete from webhook_wishes where id = %s", (wish_id,))
            if found is not None:
                _note(connection, webhook_id, found)

    def tries(self, webhook_id: str, limit: int) -> list[Try]:
        """The newest tries, newest first."""
        found = self._rows(
            f"select {_TRY}, id from webhook_tries where webhook_id = %s order by id desc limit %s",
            webhook_id,
            limit,
        )
        return [Try(*row) for row in found]

    def keep_only(self, webhook_ids: Sequence[str]) -> None:
        """Forget all other webhooks, but for those that were made since they were listed."""
        self._do(
            "with gone as (delete from webhook_standings where webhook_id <> all(%s) and not exists "
            "(select 1 from webhooks where id = webhook_id) returning webhook_id), "
            "wishes as (delete from webhook_wishes where webhook_id in (select webhook_id from gone)) "
            "delete from webhook_tries where webhook_id in (select webhook_id from gone)",
            list(webhook_ids),
        )

    def _do(self, statement: LiteralString, *values: Any) -> None:
        with self._borrow(None) as (connection, _):
            connection.execute(statement, values)

    def _rows(self, question: LiteralString, *values: Any) -> list[tuple[Any, ...]]:
        with self._borrow(None) as (connection, _):
            return connection.execute(question, values).fetchall()


def _note(connection: Connection[TupleRow], webhook_id: str, found: Try) -> None:
    connection.execute(
        f"insert into webhook_tries (webhook_id, {_TRY}) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (webhook_id, *astuple(found)[:-1]),
    )
    connection.execute(
        "delete from webhook_tries where webhook_id = %s and id <= (select id from webhook_tries "
        "where webhook_id = %s order by id desc offset %s limit 1)",
        (webhook_id, webhook_id, KEPT_TRIES),
    )
