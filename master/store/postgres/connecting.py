"""How a connection is set up, whoever makes it."""

from __future__ import annotations

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

PATIENCE = 10.0
"""Seconds that a transaction waits for a connection, or for somebody else's lock."""


def configure(connection: Connection[TupleRow]) -> None:
    """What answers promise does not depend on how the database is set up."""
    connection.execute("set timezone to 'UTC'")
    connection.execute("set synchronous_commit to on")
    connection.execute("set default_transaction_isolation to 'read committed'")
    connection.execute(f"set lock_timeout to '{PATIENCE:.0f}s'".encode())
    connection.execute("set idle_in_transaction_session_timeout to '60s'")


def connect(url: str) -> Connection[TupleRow]:
    """A connection of its own, out of any pool."""
    connection = psycopg.connect(url, autocommit=True)
    configure(connection)
    return connection
