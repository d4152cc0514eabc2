"""Whatever ends, a master or the database: what was answered stays, and what was not done yet is done."""

from __future__ import annotations

import signal

import psycopg
import pytest

from common.model import JobStatus
from common.problems import Problem
from master.lifecycle import commands
from master.service import Farm, queue, work
from master.store.postgres.store import PostgresStore
from master.store.trail import Wanted
from tests.core.support import OPERATOR, FakeClock, all_jobs, finish, job, must_claim, register, submit
from tests.databases import Server
from tests.store.postgresql.conftest import Masters, until


def test_after_a_crash_of_the_database_all_that_was_answered_is_there(
    postgresql: Server, masters: Masters, clock: FakeClock
) -> None:
    farm = masters(1)[0]
    node_id = register(farm)
    ids = [submit(farm) for _ in range(3)]
    view = must_claim(farm, node_id)
    postgresql.stop(signal.SIGQUIT)
    with pytest.raises(Problem) as refused:
        submit(farm)
    assert refused.value.type.slug == "unavailable"
    postgresql.start()
    until(lambda: answers(farm))
    assert set(all_jobs(farm)) == set(ids)
    clock.advance(80)  # signs of life are gone: the lease has a full term from when it is asked about
    work.reap(farm)
    clock.advance(80)
    work.reap(farm)
    assert job(farm, view.job.id).job.status is JobStatus.RUNNING
    finish(farm, view)
    assert job(farm, view.job.id).job.status is JobStatus.COMPLETED


def answers(farm: Farm) -> bool:
    try:
        all_jobs(farm)
    except Problem:
        return False
    return True


def test_what_a_killed_master_committed_is_told_by_the_others(
    masters: Masters, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, other = masters(2)
    assert isinstance(killed.store, PostgresStore)
    monkeypatch.setattr(killed.store._teller, "publish", lambda _: None)  # it dies before it tells
    job_id = submit(killed)
    until(lambda: other.feed.seq == 1)
    assert other.store.trail.page(10, 10, Wanted()).entries[0]["job_id"] == job_id


def test_a_connection_that_breaks_in_a_transaction_leaves_nothing_of_it(masters: Masters) -> None:
    farm = masters(1)[0]
    with pytest.raises(Problem) as refused:
        pause_and_break(farm)
    assert refused.value.type.slug == "unavailable"
    until(lambda: answers(farm))
    assert not queue.get(farm).paused
    queue.change(farm, OPERATOR, commands.PauseQueue())
    assert queue.get(farm).paused


def pause_and_break(farm: Farm) -> None:
    with farm.store.transaction(farm.clock()) as tx:
        farm.decide(tx, commands.PauseQueue())
        end_connections(farm)


def end_connections(farm: Farm) -> None:
    assert isinstance(farm.store, PostgresStore)
    with psycopg.connect(farm.store._url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where pid <> pg_backend_pid() and state = 'idle in transaction'"
        )
