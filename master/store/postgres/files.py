"""What is known of the stored files, for all masters: see `master.files.index.FileIndex`.

Who changes files is alone at that (`Store.exclusive`). A job comes to refer to a file in one transaction,
and in another one the file is removed: both lock the file's row, so that no job is left without its file.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import TupleRow

from common.model import Now
from master.files.entry import FileEntry, entry_from
from master.store.postgres.borrowing import Borrow
from master.store.postgres.errors import collided

_FILES: LiteralString = (
    "select files.sha256, record, coalesce(used_at, now()) "
    "from files left join file_uses on file_uses.sha256 = files.sha256 "
)
_COUNT, _BYTES = "files", "file_bytes"
"""What is counted of them."""
_AT_ONCE = 1000


class TableFiles:
    """Of one store. Any thread may use it; times are the database's."""

    def __init__(self, borrow: Borrow) -> None:
        """`borrow`: what to ask with."""
        self._borrow = borrow
        self._lock = threading.Lock()
        self._used: dict[str, Now] = {}  # since the database heard of it

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return self._counted(_BYTES)

    @property
    def count(self) -> int:
        """How many there are."""
        return self._counted(_COUNT)

    def get(self, sha256: str) -> FileEntry | None:
        """What is known of a file; None if it is not here."""
        found = self._ask(f"{_FILES} where files.sha256 = %s", sha256)
        return _entry(found[0]) if found else None

    def keep(self, sha256: str) -> FileEntry | None:
        """The same; whoever wants to remove it finds that it is referred to just now."""
        found = self._ask(f"{_FILES} where files.sha256 = %s for key share of files", sha256)
        return _entry(found[0]) if found else None

    def seize(self, sha256: str) -> FileEntry | None:
        """The same, and whoever comes to refer to it waits. `unavailable` if somebody does just now.

        He is not waited for: he may wait for somebody who wants another file that is seized here.
        """
        found = self._ask(f"{_FILES} where files.sha256 = %s for update of files skip locked", sha256)
        if not found and self.get(sha256) is not None:
            raise collided(f"The file {sha256}")
        return _entry(found[0]) if found else None

    def beginning_with(self, prefix: str, after: str | None) -> Iterator[FileEntry]:
        """Files whose hash begins with `prefix`, behind the hash `after`, in the order of the hashes."""
        first = prefix if after is None else max(prefix, f"{after}0")
        while True:
            found = self._ask(
                f"{_FILES} where files.sha256 >= %s and files.sha256 < %s order by files.sha256 limit %s",
                first,
                f"{prefix}g",
                _AT_ONCE,
            )
            yield from map(_entry, found)
            if len(found) < _AT_ONCE:
                return
            first = f"{found[-1][0]}0"

    def put(self, entry: FileEntry) -> None:
        """It is here, or more is known of it."""
        with self._borrow(entry.used) as (connection, at), connection.transaction():
            before = connection.execute(
                "select size from files where sha256 = %s", (entry.sha256,)
            ).fetchone()
            connection.execute(
                "insert into files (sha256, size, job_id, fresh, record) values (%s, %s, %s, %s, %s) "
                "on conflict (sha256) do update set size = excluded.size, job_id = excluded.job_id, "
                "fresh = files.fresh or excluded.fresh, record = excluded.record",
                (entry.sha256, entry.size, entry.job_id, entry.job_id is not None, entry.to_json().decode()),
            )
            connection.execute(
                "insert into file_uses (sha256, used_at) values (%s, %s) "
                "on conflict (sha256) do update set used_at = greatest(file_uses.used_at, excluded.used_at)",
                (entry.sha256, min(entry.used.wall, at.wall)),
            )
            more = entry.size - (0 if before is None else before[0])
            _count(connection, 0 if before is not None else 1, more)

    def remove(self, sha256: str) -> None:
        """It is not here any more."""
        with self._borrow(None) as (connection, _), connection.transaction():
            gone = connection.execute(
                "delete from files where sha256 = %s returning size", (sha256,)
            ).fetchone()
            if gone is not None:
                connection.execute("delete from file_uses where sha256 = %s", (sha256,))
                _count(connection, -1, -gone[0])

    def use(self, sha256: str, now: Now) -> bool:
        """It was read, or something refers to it: the database hears of it a little later, the disk never."""
        with self._lock:
            self._used[sha256] = now
        return False

    def flush(self) -> None:
        """Tell the database what was used."""
        with self._lock:
            used, self._used = self._used, {}
        if not used:
            return
        latest = max(used.values(), key=lambda now: now.mono)
        with self._borrow(latest) as (connection, at):
            connection.execute(
                "with found as "
                "(select sha256 from file_uses where sha256 = any(%s) order by sha256 for update) "
                "update file_uses set used_at = greatest(used_at, %s) from found "
                "where file_uses.sha256 = found.sha256",
                (list(used), at.wall),
            )

    def age(self, sha256: str, now: Now) -> float | None:
        """Seconds since it was used last, as far as the database has heard; None if it is not here."""
        self.flush()
        with self._borrow(now) as (connection, at):
            found = connection.execute(
                "select used_at from file_uses where sha256 = %s", (sha256,)
            ).fetchone()
        return None if found is None else float((at.wall - found[0]).total_seconds())

    def unused(self, now: Now, seconds: float) -> list[str]:
        """The hashes of those that were not used for longer than that, oldest use first."""
        self.flush()
        with self._borrow(now) as (connection, at):
            found = connection.execute(
                "select sha256 from file_uses "
                "where used_at < %s - make_interval(secs => %s) order by used_at",
                (at.wall, seconds),
            ).fetchall()
        return [sha256 for (sha256,) in found]

    def take_fresh(self) -> list[str]:
        """The hashes of the files that nodes put here since any master asked this last."""
        return [
            sha256 for (sha256,) in self._ask("update files set fresh = false where fresh returning sha256")
        ]

    def put_for(self, job_id: str) -> list[str]:
        """The hashes of the files that nodes put here for a job, and for no other since."""
        return [row[0] for row in self._ask("select sha256 from files where job_id = %s order by 1", job_id)]

    def _counted(self, name: str) -> int:
        return int(self._ask("select coalesce(sum(n), 0) from tally where name = %s", name)[0][0])

    def _ask(self, question: LiteralString, *values: Any) -> list[tuple[Any, ...]]:
        with self._borrow(None) as (connection, _):
            return connection.execute(question, values).fetchall()


def _count(connection: Connection[TupleRow], files: int, size: int) -> None:
    connection.cursor().executemany(
        "insert into tally (name, n) values (%s, %s)",
        [(name, n) for name, n in ((_COUNT, files), (_BYTES, size)) if n],
    )


def _entry(row: tuple[Any, ...]) -> FileEntry:
    sha256, record, used = row
    moment: datetime = used
    return entry_from(sha256, record.encode(), Now(moment, moment.timestamp()))
