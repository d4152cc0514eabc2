"""What is in the tables beside the records follows from these: nobody would find them by it otherwise."""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple
from typing import Any

import psycopg

from common.model import Constraints, Job, Node
from master.store import codec
from master.store.postgres import rows
from master.store.postgres.rows import JOB_COLUMNS, JOB_VALUES, JobRow
from master.store.postgres.store import UNKNOWN
from master.store.postgres.writing import digests_of
from master.store.recent import just_ended
from master.store.references import files_of


def assert_tables_agree(url: str) -> None:
    """Of a farm at which nothing happens just now."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            f"select {JOB_COLUMNS}, {', '.join(JOB_VALUES)} from jobs order by seq"
        ).fetchall()
        known = [(rows.job_row(each[:7]), dict(zip(JOB_VALUES, each[7:], strict=True))) for each in found]
        _jobs_agree(connection, known)
        _nodes_agree(connection, [row.record for row, _ in known])
        counted: dict[str, int] = dict(
            connection.execute(
                "select name, sum(n)::int from tally group by name having sum(n) <> 0"
            ).fetchall()
        )
        assert counted == Counter(name for row, _ in known for name in rows.tallied(row))
        [(last, places)] = connection.execute(
            "select (select coalesce(max(seq), 0) from jobs), (select last_value from places)"
        ).fetchall()
        assert last <= places


def _jobs_agree(connection: psycopg.Connection, known: list[tuple[JobRow, dict[str, Any]]]) -> None:
    jobs = {row.record.id: row.record for row, _ in known}
    dependencies = {(job.id, on_id) for job in jobs.values() for on_id in job.depends_on}
    wanted: dict[int, str] = dict(connection.execute("select id, wanted from kinds").fetchall())
    for row, columns in known:
        job = row.record
        expected = rows.job_values(job, row.kind, _head(job, jobs), UNKNOWN)
        assert codec.decode_value(wanted[row.kind], Constraints) == job.constraints
        assert columns["linked"] >= (expected["linked"] or any(on_id == job.id for _, on_id in dependencies))
        assert columns["ready_at"] is None or expected["waits"]
        for name in ("linked", "ready_at", "record", "format"):
            del expected[name], columns[name]
        assert columns == expected
    assert set(connection.execute("select job_id, on_id from dependencies").fetchall()) == dependencies
    assert set(connection.execute("select job_id, sha256 from job_files").fetchall()) == {
        (job.id, sha256) for job in jobs.values() for sha256 in files_of(job)
    }


def _nodes_agree(connection: psycopg.Connection, jobs: list[Job]) -> None:
    found = connection.execute(f"select {rows.COLUMNS} from nodes order by place").fetchall()
    nodes = {node.id: node for node in (rows.row(each, Node).record for each in found)}
    assert set(connection.execute("select node_id, digest from credentials").fetchall()) == {
        (node.id, digest) for node in nodes.values() for digest in digests_of(node)
    }
    ended = {
        (node_id, *astuple(each))
        for job in jobs
        for node_id, each in just_ended(None, job)
        if node_id in nodes
    }
    assert ended <= set(
        connection.execute(
            "select node_id, ended_at, job_id, number::int, scenario, started_at, outcome, code, message "
            "from ended"
        ).fetchall()
    )


def _head(job: Job, jobs: dict[str, Job]) -> str:
    """The job that its family belongs to, also if that has left."""
    while job.parent_id is not None:
        if job.parent_id not in jobs:
            return job.parent_id
        job = jobs[job.parent_id]
    return job.id
