"""Very much is moved piece by piece, and is in the same files as if a master had written it over the years.

`make stores` moves 20,000 jobs, `make test` as many as make several pieces.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from common.schema import SubmitSchema
from master.service import jobs
from master.store import audit
from master.store.moving import directory
from master.store.moving.directory import Directory
from master.store.moving.move import move
from master.store.postgres import filling
from master.store.postgres.database import Database
from tests.core.support import OPERATOR, FakeClock, finish, must_claim, register
from tests.databases import Server
from tests.store.moving.farms import embedded_farm
from tests.store.postgresql.agreement import assert_tables_agree
from tests.store.support import audited

LONG = os.environ.get("FFRTMP_TEST_STORES") == "all"
JOBS, BATCH = (20_000, 1000) if LONG else (300, 50)


def test_it_is_moved_both_ways(
    tmp_path: Path, postgresql: Server, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not LONG:
        monkeypatch.setattr(filling, "_AT_ONCE", 70)
        monkeypatch.setattr(directory, "_AT_ONCE", 70)
    url, state_dir = postgresql.new_schema(), tmp_path / "state"
    with embedded_farm(state_dir, clock) as farm:
        node_id = register(farm)
        body = SubmitSchema().load({"scenario": "720p-h264"})
        for _ in range(JOBS // BATCH):
            jobs.submit_batch(farm, OPERATOR, [body] * BATCH)
        for _ in range(JOBS // 10):
            finish(farm, must_claim(farm, node_id))
    there = move(Directory(state_dir), Database(url), clock().wall)
    assert_tables_agree(url)
    back = move(Database(url), Directory(state_dir), clock().wall)
    assert there.contents == back.contents
    assert (there.contents.jobs, there.contents.results) == (JOBS, JOBS // 10)
    assert there.contents.events == 1 + JOBS + 2 * (JOBS // 10)


def test_old_parts_of_the_history_go_when_they_would_have_gone(
    tmp_path: Path, postgresql: Server, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "_AT_ONCE", 10)
    monkeypatch.setattr(audit, "FILE_BYTES", 1)
    url, state_dir = postgresql.new_schema(), tmp_path / "state"
    with embedded_farm(state_dir, clock) as farm:
        for _ in range(30):
            register(farm)
            clock.advance(86400)
    move(Directory(state_dir), Database(url), clock().wall)
    move(Database(url), Directory(state_dir), clock().wall)
    assert [entry["seq"] for entry in audited(state_dir)] == list(range(30, 0, -1))
    with embedded_farm(state_dir, clock) as farm:
        assert farm.store.trail.remove_before(clock().wall - timedelta(days=15)) == 1
        assert farm.store.trail.remove_before(clock().wall - timedelta(days=1)) == 1
    assert [entry["seq"] for entry in audited(state_dir)] == list(range(30, 20, -1))
