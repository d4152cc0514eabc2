"""What tables are asked with that are beside the records."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from psycopg import Connection
from psycopg.rows import TupleRow

from common.model import Now

Borrow = Callable[[Now | None], AbstractContextManager[tuple[Connection[TupleRow], Now]]]
"""The connection of the transaction that this thread is in, or another; and the database's time."""
