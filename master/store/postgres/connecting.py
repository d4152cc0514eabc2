"""How a connection is set up, whoever makes it."""

from __future__ import annotations

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

PATIENCE = 10.0
"""Seconds that a transaction waits for a connection, or for somebody else's lock."""

_IDLE, _AGAIN, _TIMES = 10, 5, 3
"""Seconds of silence, and between two looks, and how many of these nobody answers, until a machine that is
cut off or has lost its power is taken for gone. Left to the systems, that and its locks last hours."""
_MOST_MS = 1000 * (_IDLE + _AGAIN * _TIMES)
"""The same for what was sent and is not acknowledged, in milliseconds."""


def noticing(url: str) -> str:
    """`url`, by which it is noticed when the database's machine is gone; what it says of that itself holds.

    psycopg.Error if it is none.
    """
    ours = {
        "keepalives_idle": _IDLE,
        "keepalives_interval": _AGAIN,
        "keepalives_count": _TIMES,
        "tcp_user_timeout": _MOST_MS,
    }
    said = conninfo_to_dict(url)
    return make_conninfo(url, **{name: value for name, value in ours.items() if name not in said})


def configure(connection: Connection[TupleRow]) -> None:
    """What answers promise does not depend on how the database is set up."""
    connection.execute("set timezone to 'UTC'")
    connection.execute("set synchronous_commit to on")
    connection.execute("set default_transaction_isolation to 'read committed'")
    connection.execute(f"set lock_timeout to '{PATIENCE:.0f}s'".encode())
    connection.execute("set idle_in_transaction_session_timeout to '60s'")
    # The database notices, too, when this machine is gone. Sockets of one machine need none of this.
    connection.execute(f"set tcp_keepalives_idle to {_IDLE}".encode())
    connection.execute(f"set tcp_keepalives_interval to {_AGAIN}".encode())
    connection.execute(f"set tcp_keepalives_count to {_TIMES}".encode())
    connection.execute(f"set tcp_user_timeout to {_MOST_MS}".encode())


def connect(url: str) -> Connection[TupleRow]:
    """A connection of its own, out of any pool."""
    connection = psycopg.connect(url, autocommit=True)
    configure(connection)
    return connection
