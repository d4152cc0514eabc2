"""The store in PostgreSQL: see `master.store.interface.Store`."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

from common.model import MASTER, Actor, FarmState, Job, Node, Now, Token, Webhook
from common.problems import UNAVAILABLE, Problem
from master.store.errors import StoreError
from master.store.meter import UNMETERED, Meter
from master.store.postgres import departing, lanes, rows
from master.store.postgres.book import TableBook
from master.store.postgres.coming import TableComing
from master.store.postgres.connecting import PATIENCE, configure, connect, noticing
from master.store.postgres.directory import agree
from master.store.postgres.errors import translated
from master.store.postgres.files import TableFiles
from master.store.postgres.kinds import Kinds
from master.store.postgres.known import KnownNodes
from master.store.postgres.liveness import TableLiveness
from master.store.postgres.migrating import migrate
from master.store.postgres.rows import COLUMNS, JOB_COLUMNS
from master.store.postgres.sessions import TableSessions
from master.store.postgres.talk import TableTalk
from master.store.postgres.teller import Teller
from master.store.postgres.trail import TableTrail
from master.store.postgres.transaction import PostgresTransaction
from master.store.postgres.turns import Lead, Turns
from master.store.settling import Ticket
from master.store.told import Listener
from master.webhooks import file_book

log = logging.getLogger(__name__)

CONNECTIONS = 16
"""Transactions at once, of one master."""
EXCLUSIVE = 8
"""Of one master, threads that are alone at something at once."""
_BEGIN: LiteralString = f"select now(), {COLUMNS} from farm"
_FOLD: LiteralString = (
    "with gone as (delete from tally returning name, n) "
    "insert into tally (name, n) select name, sum(n) from gone group by name having sum(n) <> 0"
)
_MOST_COUNTS = 1000
"""Rows of counts that came since they were summed up."""

# Whoever needs the database says that it is away, and once; the pool does at each of its tries.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

Moment = Callable[[Now, Any], Now]
"""The time of a transaction: of what the caller's clock says, and the database's."""


UNKNOWN = Now(datetime.min.replace(tzinfo=UTC), 0.0)


def database_time(_now: Now, at: Any) -> Now:
    """The database's clock, for all masters alike."""
    return Now(at, at.timestamp())


class PostgresStore:
    """The records in one schema of a database: the first of the connection's search path.

    StoreError if the database cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        meter: Meter = UNMETERED,
        connections: int = CONNECTIONS,
        moment: Moment = database_time,
        patience: float = 0.0,
    ) -> None:
        """`moment`: whose clock counts; tests have one of their own. `patience`: seconds that other masters
        get to end, so that this one is the first.
        """
        self._url, self._meter, self._moment = url, meter, moment
        self._local = threading.local()
        self._kinds = Kinds()
        self._nodes = KnownNodes()
        self._counts = 0
        try:
            self._url = url = noticing(url)
            with self._connect() as connection:
                migrate(connection)
            self._pool = _pool(url, 1, connections)
            self._turns_pool = _pool(url, 0, EXCLUSIVE)
            self._turns, self._lead = Turns(self._turns_pool), Lead(self._connect)
            self._teller = Teller(self._pool.connection, self._connect, patience)
            self._teller.subscribe(self._nodes.hear)
        except psycopg.errors.LockNotAvailable as error:
            raise StoreError(
                "the records in the database are just being moved (ffrtmp migrate); start when that is done"
            ) from error
        except psycopg.Error as error:
            raise StoreError(f"PostgreSQL cannot be used: {error}") from error
        self.shared = True
        self.liveness = TableLiveness(self._borrow)
        self.trail = TableTrail(self._borrow)
        self.files = TableFiles(self._borrow)
        self.talk = TableTalk(self._connect)
        self.coming = TableComing(self._borrow)
        self.sessions = TableSessions(self._borrow)
        self._refuse_if_moved()
        if self.first:
            self.liveness.start_anew()  # nobody was there who could have heard them

    @property
    def first(self) -> bool:
        """Whether no other master used the database when this one opened it."""
        return self._teller.first

    def agree(self, directory: Path | None) -> None:
        """`StoreError` unless the directory that this master shares with others is that of all of them.

        OSError if it cannot be written. None: it shares none, and must be alone.
        """
        with self.exclusive("directory"), self._pool.connection() as connection:
            agree(connection, directory, first=self.first)

    @property
    def history(self) -> int:
        """The number of the newest event, as far as anybody was told."""
        return self._teller.history

    @contextmanager
    def transaction(self, now: Now, actor: Actor = MASTER) -> Iterator[PostgresTransaction]:
        """Decide and record: all or nothing. When it has ended, all that was recorded is on disk, and told.

        What a rule refuses undoes nothing that was recorded before in the same transaction.
        """
        asked = taken = time.perf_counter()
        refused: Problem | None = None
        with translated():
            with self._pool.connection() as connection:
                taken = time.perf_counter()
                with connection.transaction():
                    at, farm = self._begin(connection, now)
                    tx = PostgresTransaction(connection, at, farm, actor, self._kinds, self._nodes)
                    self._local.current = connection, at
                    try:
                        yield tx
                    except Problem as problem:
                        if problem.type is UNAVAILABLE:
                            raise
                        refused = problem
                    finally:
                        self._local.current = None
                    tx.check_whole()
            self._meter.waited(taken - asked)
            self._meter.held(time.perf_counter() - taken)
        if tx.given:
            self._write_rounds(tx.given)
        if tx.happened:
            self._teller.publish(tx.happened)
        if refused is not None:
            raise refused

    def open_ticket(self) -> Ticket | None:
        """None: a transaction asks the database again and again, and waits for it each time."""
        return None

    def on_settled(self, _hearer: Callable[[], None], _loop: object) -> None:
        """There are no tickets."""

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with each transaction that recorded something, of whichever master."""
        self._teller.subscribe(listener)

    def node_with_credential(self, digest: str) -> Node | None:
        """The node whose credential has this SHA-256."""
        found = self._row(
            f"select {COLUMNS} from nodes join credentials on node_id = id where digest = %s "
            "order by credentials.place desc limit 1",
            digest,
        )
        return None if found is None else rows.row(found, Node).record

    def token_with_secret(self, digest: str) -> Token | None:
        """The token whose secret has this SHA-256."""
        found = self._row(f"select {COLUMNS} from tokens where secret_hash = %s", digest)
        return None if found is None else rows.row(found, Token).record

    def owner_of(self, job_id: str) -> str | None:
        """Whose a job is; None if it is nobody's, or is not among the records."""
        found = self._row("select owner from jobs where id = %s", job_id)
        owner: str | None = None if found is None else found[0]
        return owner

    def job(self, job_id: str) -> Job | None:
        """The job as it is now."""
        found = self._row(f"select {JOB_COLUMNS} from jobs where id = %s", job_id)
        return None if found is None else rows.job_row(found).record

    def webhook(self, webhook_id: str) -> Webhook | None:
        """The webhook with this id."""
        found = self._row(f"select {COLUMNS} from webhooks where id = %s", webhook_id)
        return None if found is None else rows.row(found, Webhook).record

    def webhooks(self) -> list[Webhook]:
        """All webhooks."""
        with self._borrow(None) as (connection, _):
            found = connection.execute(f"select {COLUMNS} from webhooks order by place").fetchall()
        return [rows.row(each, Webhook).record for each in found]

    def open_book(self, directory: Path) -> TableBook:
        """In tables beside the records. One in `directory` is from before they came here, and taken over."""
        book, before = TableBook(self._borrow), directory / file_book.NAME
        if book.is_new and before.exists():
            old = file_book.FileBook(before)
            book.take_over(old)
            old.close()
            before.rename(before.with_suffix(".moved"))  # it would be out of date if they moved back
        return book

    @contextmanager
    def exclusive(self, name: str) -> Iterator[None]:
        """Be alone under `name`, among all masters."""
        if self._transaction_here() is not None:
            raise RuntimeError(f"{name} is to be taken before a transaction begins, not within")
        with self._turns.exclusive(name):
            yield

    def leads(self, task: str) -> bool:
        """Whether this master is the one that does a chore just now."""
        return self._lead(task)

    def tidy(self, _now: Now) -> None:
        """Now and then: sum the counts up, say which files were used, and forget what killed masters left."""
        self.files.flush()
        self.coming.forget_old()
        with self._borrow(None) as (connection, _):
            lanes.end(connection)
            row = connection.execute("select count(*) from tally").fetchone()
            if row is not None and row[0] > self._counts + _MOST_COUNTS:
                self._counts = connection.execute(_FOLD).rowcount

    def close(self) -> None:
        """End."""
        self.talk.close()
        self._lead.close()
        self._teller.close()
        self._turns_pool.close()
        self._pool.close()

    def _transaction_here(self) -> tuple[Connection[TupleRow], Now] | None:
        """The connection and the time of the transaction that this thread is in."""
        current: tuple[Connection[TupleRow], Now] | None = getattr(self._local, "current", None)
        return current

    def _begin(self, connection: Connection[TupleRow], now: Now) -> tuple[Now, rows.Row[FarmState]]:
        row = connection.execute(_BEGIN).fetchone()
        if row is None:
            raise UNAVAILABLE("The database has no farm in it any more.")
        return self._moment(now, row[0]), rows.row(row[1:], FarmState)

    @contextmanager
    def _borrow(self, now: Now | None) -> Iterator[tuple[Connection[TupleRow], Now]]:
        """The connection and the time of the transaction that this thread is in; else others."""
        current = self._transaction_here()
        if current is not None:
            yield current
            return
        with translated(), self._pool.connection() as connection:
            [at] = connection.execute("select now()").fetchall()[0]
            yield connection, self._moment(now or database_time(UNKNOWN, at), at)

    def _write_rounds(self, given: lanes.Turns) -> None:
        """The claims stand, whatever comes of this."""
        try:
            with translated(), self._pool.connection() as connection:
                lanes.write(connection, given)
        except Problem as problem:
            log.debug("whose turn it was is not kept: %s", problem)

    def _row(self, question: LiteralString, value: str) -> tuple[Any, ...] | None:
        with translated(), self._pool.connection() as connection:
            return connection.execute(question, (value,)).fetchone()

    def _refuse_if_moved(self) -> None:
        """Now that nobody can move them any more."""
        with translated(), self._pool.connection() as connection:
            refusal = departing.refusal(connection)
        if refusal is not None:
            self.close()
            raise StoreError(refusal)

    def _connect(self) -> Connection[TupleRow]:
        return connect(self._url)


def _pool(url: str, least: int, most: int) -> ConnectionPool[Connection[TupleRow]]:
    return ConnectionPool(
        url,
        min_size=least,
        max_size=most,
        timeout=PATIENCE,
        configure=configure,
        kwargs={"autocommit": True},
        open=True,
    )
