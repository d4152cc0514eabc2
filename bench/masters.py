"""Several masters over one PostgreSQL: cycles of jobs a second, and what each job costs whom.

On few cores more masters cannot be faster than the machine is; what a job costs a master and the database
is what the sizes of a larger farm follow from (`bench.sizing`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg

from bench.load import Load, drive
from bench.playing import carried, nodes
from bench.rig import Look, NotThereError, Row, Sample, Subject
from bench.servers import Server, a_master, family_cpu
from tests import databases

CLIENTS = 8
"""Of all masters together; each plays a submitter and a node."""
EMBEDDED = "one master, embedded store"
ONE = "one master on PostgreSQL"
MASTERS_CPU, DATABASE_CPU = "masters' CPU for a job, us", "PostgreSQL's CPU for a job, us"
STATEMENTS, COMMITS, LOG = "statements for a job", "commits for a job", "log for a job, bytes"
_SEEN = "pg_stat_statements"
"""PostgreSQL's own count of what it was asked."""


class Database:
    """A PostgreSQL of its own, and what it tells of its work."""

    def __init__(self, server: databases.Server) -> None:
        self._connection = psycopg.connect(server.url, autocommit=True)
        self._connection.execute(f"create extension if not exists {_SEEN}".encode())
        self.farm = server.new_schema()
        row = self._connection.execute("select pg_backend_pid()").fetchone()
        parent = psutil.Process(row[0]).parent() if row else None
        if parent is None:
            raise NotThereError("the server's process")
        self._pid = parent.pid

    def work(self) -> dict[str, float]:
        """What it has done since it began."""
        self._connection.execute("select pg_stat_force_next_flush()")
        asked = (
            (STATEMENTS, "select coalesce(sum(calls), 0) from pg_stat_statements where query !~* '^commit'"),
            (COMMITS, "select xact_commit from pg_stat_database where datname = current_database()"),
            (LOG, "select wal_bytes from pg_stat_wal"),
        )
        found = {DATABASE_CPU: 1e6 * self._cpu()}
        for name, question in asked:
            row = self._connection.execute(question.encode()).fetchone()
            found[name] = float(row[0]) if row else 0.0
        return found

    def close(self) -> None:
        """Look no more."""
        self._connection.close()

    def _cpu(self) -> float:
        """Seconds, of all its processes, those that have ended too."""
        times = psutil.Process(self._pid).cpu_times()
        return family_cpu(self._pid) + times.children_user + times.children_system


def cycles(servers: list[Server], database: Database | None, seconds: float) -> Sample:
    """Whole cycles over all masters for a while; clients go to one master each."""
    token = servers[0].token
    players = nodes(servers[0], CLIENTS)
    done: list[int] = []
    before = {} if database is None else database.work()
    cpu = sum(family_cpu(server.pid) for server in servers)
    load: Load = drive(
        [server.port for server in servers], [carried(token, node, done.append) for node in players], seconds
    )
    jobs = max(1, sum(done))
    costs = {MASTERS_CPU: 1e6 * (sum(family_cpu(server.pid) for server in servers) - cpu) / jobs}
    if database is not None:
        behind = database.work()
        costs |= {name: (behind[name] - before[name]) / jobs for name in behind}
    return Sample(sum(done) / load.seconds, {**load.sample().more, **costs})


@contextmanager
def _on_postgresql(count: int, seconds: float, folder: Path) -> Iterator[Look]:
    """As many masters, with a database and a directory that they share."""
    with ExitStack() as stack:
        settings = (f"shared_preload_libraries={_SEEN}", f"{_SEEN}.max=10000", "synchronous_commit=on")
        try:
            server = stack.enter_context(databases.server(*settings))
        except BaseException as absent:  # pytest's own way to skip is no Exception
            raise NotThereError(f"a PostgreSQL with {_SEEN}: {absent}"[:200]) from absent
        database = Database(server)
        stack.callback(database.close)
        shared = folder / "shared"
        flags: dict[str, Any] = {"store": database.farm, "shared_dir": shared}
        places = [folder / f"{number}" for number in range(count)]
        for place in places:
            place.mkdir()
        started = [stack.enter_context(a_master(place, **flags)) for place in places]
        servers = [replace(each, state=shared) for each in started]  # where the operator's token is
        cycles(servers, database, min(1.0, seconds))
        yield lambda: cycles(servers, database, seconds)


@contextmanager
def _embedded(seconds: float, folder: Path) -> Iterator[Look]:
    """One master with its journal."""
    with a_master(folder) as server:
        cycles([server], None, min(1.0, seconds))
        yield lambda: cycles([server], None, seconds)


def rows(quick: bool) -> list[Row]:
    """One master on PostgreSQL beside the embedded store, and 2 and 4 beside one."""
    seconds = 1.0 if quick else 5.0

    def on_postgresql(name: str, count: int) -> Subject:
        return Subject(name, partial(_on_postgresql, count, seconds))

    one = on_postgresql(ONE, 1)
    note = (
        f"{CLIENTS} clients submit, and report with the next claim in the answer; each answer is on the "
        "disk before it is sent. Clients, masters and PostgreSQL share the cores of this machine."
    )
    return [
        Row(
            "masters-one", "Cycles, one master on PostgreSQL", "jobs/s",
            one, (Subject(EMBEDDED, partial(_embedded, seconds)),), note=note,
        ),
        *(
            Row(
                f"masters-{word}", f"Cycles, {word} masters on PostgreSQL", "jobs/s",
                on_postgresql(f"{word} masters", count), (one,), note=note, limit=300,
            )
            for word, count in (("two", 2), ("four", 4))
        ),
    ]  # fmt: skip
