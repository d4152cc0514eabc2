"""What masters tell each other in passing: notifications of the database, several at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from common.problems import Problem
from master.store.postgres.errors import first_line

log = logging.getLogger(__name__)

PACE = 0.2
"""Seconds for which what is said is collected: a notification makes all transactions wait a moment."""
_PATIENCE = 1.0
"""Seconds between two tries to reach the database."""
_MOST = 10_000
"""Of what waits to be said; beyond, the oldest is not said at all."""
_MOST_BYTES = 7900
"""The longest that PostgreSQL passes on is a little more."""
_CHANNEL = "'ffrtmp_' || md5(current_schema() || '/talk')"
"""Of this farm; names of channels may have 63 bytes, and so may that of a schema."""


class TableTalk:
    """See `master.store.between.Talk`. Its thread, and its connection, are there once somebody hears."""

    def __init__(self, connect: Callable[[], Connection[TupleRow]]) -> None:
        """`connect`: a connection of its own."""
        self._connect = connect
        self._lock = threading.Lock()
        self._waiting: dict[str, None] = {}
        self._hearers: dict[str, list[Callable[[str], None]]] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def say(self, topic: str, text: str = "") -> None:
        """Tell all others, within `PACE` if the database can be reached."""
        said = f"{topic} {text}"
        if len(said.encode()) > _MOST_BYTES:
            log.warning("%d characters about %s are too much to be told to other masters", len(text), topic)
            return
        with self._lock:
            self._waiting[said] = None
            if len(self._waiting) > _MOST:
                del self._waiting[next(iter(self._waiting))]

    def hear(self, topic: str, hearer: Callable[[str], None]) -> None:
        """Call `hearer` with what others say of a topic, from now on."""
        with self._lock:
            self._hearers.setdefault(topic, []).append(hearer)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="talk", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Say and hear nothing more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._connect() as connection:
                    connection.execute(
                        f"do $$ begin execute format('listen %I', {_CHANNEL}); end $$".encode()
                    )
                    while not self._stop.is_set():
                        self._send(connection)
                        self._receive(connection)
            except psycopg.Error as error:
                log.debug(
                    "the other masters cannot be talked to: %s", first_line(error)
                )  # the teller complains
                self._stop.wait(_PATIENCE)

    def _send(self, connection: Connection[TupleRow]) -> None:
        with self._lock:
            said, self._waiting = list(self._waiting), {}
        if said:
            connection.execute(
                f"select pg_notify({_CHANNEL}, said) from unnest(%s::text[]) as said".encode(), (said,)
            )

    def _receive(self, connection: Connection[TupleRow]) -> None:
        """What comes within `PACE`."""
        for notification in connection.notifies(timeout=PACE):
            if notification.pid != connection.info.backend_pid:
                topic, _, text = notification.payload.partition(" ")
                for hearer in self._hearers.get(topic, ()):
                    self._tell(hearer, text)

    @staticmethod
    def _tell(hearer: Callable[[str], None], text: str) -> None:
        try:
            hearer(text)
        except Problem as problem:  # it asked the database, which is gone
            log.warning("what another master said was not taken: %s", problem)
        except Exception:
            log.exception("what another master said was not taken")
