"""What a watch has submitted already: a small database, so that it is whole after a kill -9 too."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Self

from master.operator.folder import State

_TABLE = """
CREATE TABLE IF NOT EXISTS seen (
    path BLOB NOT NULL, inode INTEGER NOT NULL, modified INTEGER NOT NULL, size INTEGER NOT NULL,
    job_id TEXT NOT NULL, PRIMARY KEY (inode, modified, size, path)
) WITHOUT ROWID
"""


class SeenError(Exception):
    """The file cannot be used; the message says what to do."""


class Seen:
    """Files by what they are, each with the job that was made of it."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the database; `SeenError` if another watch has it, or it is none."""
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Each statement is a transaction of its own, and on the disk when it returns.
            self._database = sqlite3.connect(path, timeout=0, isolation_level=None)
            self._database.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.execute(_TABLE)
            self._database.execute("BEGIN EXCLUSIVE")
            self._database.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise SeenError("another ffrtmp watches this folder with this scenario") from error
            raise SeenError(f"{path} cannot be used: {error}") from error
        except (sqlite3.DatabaseError, OSError) as error:
            raise SeenError(f"{path} cannot be used: {error}; remove it to begin anew") from error

    def __enter__(self) -> Self:
        """The same."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._database.close()

    def has(self, state: State) -> bool:
        """Whether the file was submitted, under whatever name it had."""
        wanted = (state.inode, state.modified, state.size)
        with closing(
            self._database.execute("SELECT 1 FROM seen WHERE (inode, modified, size) = (?, ?, ?)", wanted)
        ) as found:
            return found.fetchone() is not None

    def add(self, path: bytes, state: State, job_id: str) -> None:
        """It was submitted; on the disk when this returns."""
        self._database.execute(
            "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?)",
            (path, state.inode, state.modified, state.size, job_id),
        )
