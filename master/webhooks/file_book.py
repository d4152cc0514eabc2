"""How far each webhook has been told, in SQLite beside the journal.

It is no part of the state: what is told can be told again. A crash of the program loses nothing of it, and
a crash of the machine the newest lines at most; then receivers get again what they have.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

from master.webhooks.book import KEPT_TRIES, KEPT_WISHES, Standing, Try, Wish

log = logging.getLogger(__name__)

NAME = "webhooks.db"
_TABLES = """
CREATE TABLE IF NOT EXISTS standing (
    webhook_id TEXT PRIMARY KEY, told INTEGER NOT NULL, replays INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0, failing_since REAL, next_try REAL) STRICT;
CREATE TABLE IF NOT EXISTS wish (
    id INTEGER PRIMARY KEY AUTOINCREMENT, webhook_id TEXT NOT NULL, message_id TEXT NOT NULL,
    seq INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS try (
    id INTEGER PRIMARY KEY AUTOINCREMENT, webhook_id TEXT NOT NULL, message_id TEXT NOT NULL,
    seq INTEGER, event TEXT NOT NULL, number INTEGER NOT NULL, at REAL NOT NULL, duration REAL NOT NULL,
    status INTEGER, error TEXT, next_try REAL) STRICT;
CREATE INDEX IF NOT EXISTS try_of ON try (webhook_id, id);
"""
_FORGET = (
    "DELETE FROM standing WHERE webhook_id = ?",
    "DELETE FROM wish WHERE webhook_id = ?",
    "DELETE FROM try WHERE webhook_id = ?",
)


class FileBook:
    """The book in one file; it may be used by several threads."""

    def __init__(self, path: Path) -> None:
        """Open it. One that is damaged is set aside, and begun anew.

        OSError or sqlite3.Error if it can be neither.
        """
        self._lock = threading.Lock()
        self.is_new = not path.exists()
        """Whether it knows of no webhook yet, even if there are some: a backup has no book."""
        try:
            self._connection = _open(path)
        except sqlite3.DatabaseError:
            aside = path.with_suffix(".damaged")
            log.exception("%s is damaged; it is kept as %s, and begun anew", path, aside)
            path.rename(aside)
            for rest in ("-wal", "-shm"):
                path.with_name(path.name + rest).unlink(missing_ok=True)
            self._connection = _open(path)
            self.is_new = True

    def close(self) -> None:
        """Whatever is asked of it later raises sqlite3.Error."""
        with self._lock:
            self._connection.close()

    def begin(self, webhook_id: str, told: int) -> None:
        """Let a webhook begin behind event number `told`, if the book does not know it yet."""
        with self._write() as db:
            db.execute("INSERT OR IGNORE INTO standing (webhook_id, told) VALUES (?, ?)", (webhook_id, told))

    def standing(self, webhook_id: str) -> Standing | None:
        """How far a webhook is; None if the book does not know it."""
        rows = self._rows(
            "SELECT told, replays, failures, failing_since, next_try FROM standing WHERE webhook_id = ?",
            webhook_id,
        )
        return Standing(*rows[0]) if rows else None

    def passed(self, webhook_id: str, told: int, replays: int) -> None:
        """It wants nothing of what is up to `told`."""
        with self._write() as db:
            db.execute(
                "UPDATE standing SET told = ? WHERE webhook_id = ? AND replays = ?",
                (told, webhook_id, replays),
            )

    def taken(self, webhook_id: str, found: Try, replays: int) -> None:
        """Its receiver has the event; if it was set back meanwhile, it will get it again."""
        with self._write() as db:
            db.execute(
                "UPDATE standing SET told = ?, failures = 0, failing_since = NULL, next_try = NULL "
                "WHERE webhook_id = ? AND replays = ?",
                (found.seq, webhook_id, replays),
            )
            _note(db, webhook_id, found)

    def failed(self, webhook_id: str, found: Try, since: float, replays: int) -> None:
        """Its receiver did not take the event; it has been failing `since` then (seconds since 1970)."""
        with self._write() as db:
            db.execute(
                "UPDATE standing SET failures = ?, failing_since = ?, next_try = ? "
                "WHERE webhook_id = ? AND replays = ?",
                (found.number, since, found.next_try, webhook_id, replays),
            )
            _note(db, webhook_id, found)

    def forgive(self, webhook_id: str) -> None:
        """Try again at once, as if nothing had failed."""
        with self._write() as db:
            db.execute(
                "UPDATE standing SET replays = replays + 1, failures = 0, failing_since = NULL, "
                "next_try = NULL WHERE webhook_id = ?",
                (webhook_id,),
            )

    def set_back(self, webhook_id: str, told: int) -> None:
        """Let it go on behind event number `told`, at once."""
        with self._write() as db:
            db.execute(
                "UPDATE standing SET told = ?, replays = replays + 1, failures = 0, failing_since = NULL, "
                "next_try = NULL WHERE webhook_id = ?",
                (told, webhook_id),
            )

    def wish(self, webhook_id: str, message_id: str, seq: int | None) -> bool:
        """Note what a person asks for; False if too much of it waits already."""
        with self._write() as db:
            (count,) = db.execute("SELECT count(*) FROM wish WHERE webhook_id = ?", (webhook_id,)).fetchone()
            if count >= KEPT_WISHES:
                return False
            row = (webhook_id, message_id, seq)
            db.execute("INSERT INTO wish (webhook_id, message_id, seq) VALUES (?, ?, ?)", row)
            return True

    def next_wish(self, webhook_id: str) -> Wish | None:
        """The oldest that waits."""
        rows = self._rows(
            "SELECT id, message_id, seq FROM wish WHERE webhook_id = ? ORDER BY id LIMIT 1", webhook_id
        )
        return Wish(*rows[0]) if rows else None

    def wish_done(self, webhook_id: str, wish_id: int, found: Try | None) -> None:
        """It was tried; or (None) it is about nothing that could be sent."""
        with self._write() as db:
            db.execute("DELETE FROM wish WHERE id = ?", (wish_id,))
            if found is not None:
                _note(db, webhook_id, found)

    def tries(self, webhook_id: str, limit: int) -> list[Try]:
        """The newest tries, newest first."""
        rows = self._rows(
            "SELECT message_id, seq, event, number, at, duration, status, error, next_try, id FROM try "
            "WHERE webhook_id = ? ORDER BY id DESC LIMIT ?",
            webhook_id,
            limit,
        )
        return [Try(*row) for row in rows]

    def keep_only(self, webhook_ids: Sequence[str]) -> None:
        """Forget all other webhooks."""
        kept = set(webhook_ids)
        gone = [row for row in self._rows("SELECT webhook_id FROM standing") if row[0] not in kept]
        if not gone:
            return
        with self._write() as db:
            for forget in _FORGET:
                db.executemany(forget, gone)

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._lock, closing(self._connection.execute(query, values)) as cursor:
            return cursor.fetchall()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it, or nothing."""
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection


def _open(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        # Written before each answer counts, synced now and then: see above.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        _check(connection)
        connection.executescript(_TABLES)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection) -> None:
    (sound,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if sound != "ok":
        raise sqlite3.DatabaseError(sound)


def _note(db: sqlite3.Connection, webhook_id: str, found: Try) -> None:
    row = (webhook_id, *astuple(found)[:-1])
    db.execute(
        "INSERT INTO try (webhook_id, message_id, seq, event, number, at, duration, status, error, next_try) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    db.execute(
        "DELETE FROM try WHERE webhook_id = ? AND id <= ("
        "SELECT id FROM try WHERE webhook_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (webhook_id, webhook_id, KEPT_TRIES),
    )
