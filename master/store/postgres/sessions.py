"""Who is signed in with a browser, at whichever master: it outlives these, and no crash of the database."""

from __future__ import annotations

from master.store.postgres.borrowing import Borrow
from master.store.sessions import MOST


class TableSessions:
    """See `master.store.sessions.SessionBook`. Times are the database's, whatever the caller's clock says."""

    def __init__(self, borrow: Borrow) -> None:
        """`borrow`: what to ask with."""
        self._borrow = borrow

    def begin(self, name: str, credential_hash: str, life: float, _now: float) -> None:
        """Keep a session for `life` seconds; those that have ended, and the oldest of too many, go."""
        with self._borrow(None) as (connection, _):
            connection.execute(
                "insert into sessions (name, credential, ends) "
                "values (%s, %s, now() + make_interval(secs => %s))",
                (name, credential_hash, life),
            )
            connection.execute(
                "delete from sessions where ends <= now() "
                "or ends < (select ends from sessions order by ends desc offset %s limit 1)",
                (MOST - 1,),
            )

    def credential_hash(self, name: str, _now: float) -> str | None:
        """What a session stands for; None if there is none, or it has ended."""
        with self._borrow(None) as (connection, _):
            found = connection.execute(
                "select credential from sessions where name = %s and ends > now()", (name,)
            ).fetchall()
        return found[0][0] if found else None

    def end(self, name: str) -> None:
        """Forget a session."""
        with self._borrow(None) as (connection, _):
            connection.execute("delete from sessions where name = %s", (name,))
