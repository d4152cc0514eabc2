"""Writes all that another store kept into empty tables, with what masters would have written beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple
from itertools import groupby, islice
from typing import Any, TypeVar

from psycopg import Connection
from psycopg.rows import TupleRow

from common.model import FarmState, Job, Node, Now, Token, Webhook
from master.lifecycle import Record
from master.store.formats import FORMAT
from master.store.moving.book import SORTS
from master.store.moving.contents import Reading
from master.store.postgres import facts, rows
from master.store.postgres.kinds import Kinds
from master.store.postgres.rows import JOB_VALUES, JobRow
from master.store.postgres.writing import digests_of
from master.store.recent import just_ended
from master.store.references import files_of

T = TypeVar("T")

TABLES = (
    "credentials",
    "dependencies",
    "ended",
    "file_uses",
    "files",
    "happened",
    "heard_leases",
    "heard_nodes",
    "job_files",
    "jobs",
    "kinds",
    "logs_to_come",
    "newest_samples",
    "nodes",
    "rounds",
    "samples",
    "sessions",
    "tally",
    "tokens",
    "webhook_standings",
    "webhook_tries",
    "webhook_wishes",
    "webhooks",
    *(sort.in_database for sort in SORTS.values()),
    "logs_to_come",
    "newest_samples",
    "rounds",
    "samples",
    "sessions",
)
"""What is written here or follows from it; and what the next master finds anew, such as signs of life, stored
files, and how far webhooks were told.

`farm` keeps its row.
"""
_AT_ONCE = 2000
"""Jobs that are written together."""
_ENDED = ("node_id", "ended_at", "job_id", "number", "scenario", "started_at", "outcome", "code", "message")


def fill(connection: Connection[TupleRow], reading: Reading) -> None:
    """Write all of it. What it is in a transaction for, the caller knows."""
    [(at,)] = connection.execute("select now()").fetchall()
    filling = _Filling(connection, Now(at, at.timestamp()))
    records = reading.records()
    jobs = filling.others(records)
    while some := list(islice(jobs, _AT_ONCE)):
        filling.jobs(some)
    filling.finish()
    for name, lines in groupby(reading.book(), key=lambda line: line.sort):
        sort = SORTS[name]
        _copy(connection, sort.in_database, sort.columns, (line.values for line in lines))
    _copy(connection, "happened", facts.COPIED, map(facts.copied, reading.entries()))
    connection.execute("analyze")


class _Filling:
    """What has to be known from one record to the next."""

    def __init__(self, connection: Connection[TupleRow], now: Now) -> None:
        self._connection = connection
        self._now = now
        self._kinds = Kinds()
        self._nodes: set[str] = set()
        self._heads: dict[str, str] = {}
        """By part: the job that its family belongs to."""
        self._tally: Counter[str] = Counter()
        self._last_seq = 0

    def others(self, records: Iterator[Record]) -> Iterator[Job]:
        """Write what is no job, and answer the jobs, which come last."""
        for record in records:
            if isinstance(record, Job):
                yield record
            elif isinstance(record, Node):
                self._record("nodes", record)
                self._nodes.add(record.id)
                self._copy("credentials", ("digest", "node_id"), [(d, record.id) for d in digests_of(record)])
            elif isinstance(record, Token):
                self._record("tokens", record, secret_hash=record.secret_hash)
            elif isinstance(record, Webhook):
                self._record("webhooks", record)
            else:
                self._farm(record)

    def jobs(self, jobs: Sequence[Job]) -> None:
        """Write some, in the order of their submission."""
        numbers = self._kinds.numbers(self._connection, {job.constraints for job in jobs})
        values = [self._job(job, numbers[job.constraints]) for job in jobs]
        self._copy("jobs", ("version", *JOB_VALUES), values)
        self._copy(
            "dependencies", ("job_id", "on_id"), [(job.id, on) for job in jobs for on in job.depends_on]
        )
        self._copy(
            "job_files", ("sha256", "job_id"), [(sha256, job.id) for job in jobs for sha256 in files_of(job)]
        )
        ended = [(node, *astuple(each)) for job in jobs for node, each in just_ended(None, job)]
        self._copy("ended", _ENDED, [row for row in ended if row[0] in self._nodes])

    def finish(self) -> None:
        """Write what follows from all of them."""
        self._connection.execute(
            "update jobs set linked = true where not linked and id in (select on_id from dependencies)"
        )
        self._copy("tally", ("name", "n"), self._tally.items())
        if self._last_seq:
            self._connection.execute("select setval('places', %s)", (self._last_seq,))
        else:
            self._connection.execute("alter sequence places restart")

    def _job(self, job: Job, kind: int) -> list[Any]:
        head_id = job.id
        if job.parent_id is not None:
            head_id = self._heads[job.id] = self._heads.get(job.parent_id, job.parent_id)
        found = rows.job_values(job, kind, head_id, self._now)
        self._tally.update(rows.tallied(JobRow(job, 1, head_id, found["linked"], found["ready_at"], kind)))
        self._last_seq = max(self._last_seq, job.seq)
        return [1, *(found[name] for name in JOB_VALUES)]

    def _record(self, table: str, record: Node | Token | Webhook, **more: str) -> None:
        columns = {"id": record.id, "version": 1, "format": FORMAT, "record": rows.text_of(record), **more}
        self._copy(table, tuple(columns), [tuple(columns.values())])

    def _farm(self, farm: FarmState) -> None:
        self._connection.execute(
            "update farm set version = version + 1, format = %s, record = %s", (FORMAT, rows.text_of(farm))
        )

    def _copy(self, table: str, columns: Sequence[str], values: Iterable[Sequence[Any]]) -> None:
        _copy(self._connection, table, columns, values)


def _copy(
    connection: Connection[TupleRow], table: str, columns: Sequence[str], values: Iterable[Sequence[Any]]
) -> None:
    into = f"copy {table} ({', '.join(columns)}) from stdin"
    with connection.cursor() as cursor, cursor.copy(into.encode()) as copy:
        for each in values:
            copy.write_row(each)
