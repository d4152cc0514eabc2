"""What is moved is the same at the other end: records, history, and what a master makes of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from common.model import Role
from common.schema import SubmitSchema
from common.tokens import hash_secret
from master.service import Caller, Farm, jobs
from master.store import snapshot
from master.store.moving.directory import Directory
from master.store.moving.move import move
from master.store.postgres.database import Database
from master.store.trail import Wanted
from master.submission import Key
from master.webhooks.book import Try
from tests.core.support import AGENT, FakeClock, all_jobs, finish, must_claim, register, submit
from tests.databases import Server
from tests.store.moving.farms import contents, embedded_farm, given, live_a_little, shared_farm
from tests.store.postgresql.agreement import assert_tables_agree


@pytest.fixture
def state_dir(tmp_path: Path, clock: FakeClock) -> Path:
    """What a killed master left: one half of its history is in the audit's files, one half in the journal."""
    path = tmp_path / "state"
    with embedded_farm(path, clock) as farm:
        live_a_little(farm, clock)
    snapshot.fold(path / "journal", 1)
    with embedded_farm(path, clock) as farm:
        for priority in ("low", "high"):
            submit(farm, priority=priority)
        finish(farm, must_claim(farm, register(farm)))
    return path


def everything(farm: Farm) -> tuple[object, ...]:
    """All records, and what the audit tells of how they came about."""
    with farm.store.transaction(farm.clock()) as tx:
        records = tx.farm(), tx.nodes(), tx.tokens(), tx.webhooks(), tx.page(None, None, 1000)
        history = tx.history()
    page = farm.store.trail.page(10**12, 10**4, Wanted())
    assert not page.damaged
    assert page.next is None
    return *records, history, page.entries


def test_from_a_directory_to_a_database_and_back_is_as_if_nothing_had_been_done(
    state_dir: Path, postgresql: Server, clock: FakeClock
) -> None:
    url = postgresql.new_schema()
    before = contents(Directory(state_dir))
    assert (before.jobs, before.results, before.nodes, before.webhooks) == (14, 3, 3, 1)
    assert before.events == before.history > 30
    with embedded_farm(state_dir, clock) as farm:
        known = everything(farm)
    there = move(Directory(state_dir), Database(url), clock().wall)
    with shared_farm(url, state_dir, clock) as farm:
        assert everything(farm) == known
    back = move(Database(url), Directory(state_dir), clock().wall)
    with embedded_farm(state_dir, clock) as farm:
        assert everything(farm) == known
    assert (there.contents, there.before) == (back.contents, back.before) == (before, False)


def test_from_a_database_to_a_directory_and_back_all_that_is_beside_the_records_is_there_again(
    tmp_path: Path, postgresql: Server, clock: FakeClock
) -> None:
    first, second = postgresql.new_schema(), postgresql.new_schema()
    with shared_farm(first, tmp_path / "master", clock) as farm:
        live_a_little(farm, clock)
        known = everything(farm)
    assert_tables_agree(first)
    there = move(Database(first), Directory(tmp_path / "state"), clock().wall)
    back = move(Directory(tmp_path / "state"), Database(second), clock().wall)
    assert there.contents == back.contents
    assert_tables_agree(second)
    with shared_farm(second, tmp_path / "master", clock) as farm:
        assert everything(farm) == known


def test_nodes_get_the_same_jobs_in_the_same_order(
    state_dir: Path, tmp_path: Path, postgresql: Server, clock: FakeClock
) -> None:
    url = postgresql.new_schema()
    with embedded_farm(state_dir, clock) as farm:
        node_id = register(farm, "wide", AGENT, labels={"site": "north"}, max_concurrent_jobs=30)
        # Whose turn it is among submitters, each master finds anew: here are the operators' jobs.
        own = {job.id for job in all_jobs(farm).values() if job.owner is None}
    shutil.copytree(state_dir, tmp_path / "copy")
    move(Directory(state_dir), Database(url), clock().wall)
    with shared_farm(url, state_dir, clock) as farm:
        there = [job_id for job_id in given(farm, clock, node_id) if job_id in own]
    with embedded_farm(tmp_path / "copy", clock) as farm:
        here = [job_id for job_id in given(farm, clock, node_id) if job_id in own]
    assert there == here
    assert len(there) == 4


def test_masters_go_on_where_the_others_ended(state_dir: Path, postgresql: Server, clock: FakeClock) -> None:
    url = postgresql.new_schema()
    with embedded_farm(state_dir, clock) as farm:
        history, known = farm.store.history, all_jobs(farm)
    move(Directory(state_dir), Database(url), clock().wall)
    with shared_farm(url, state_dir, clock) as farm:
        assert farm.store.node_with_credential(hash_secret("a" * 43)) is not None
        body = SubmitSchema().load({"scenario": "720p-h264"})
        repeated = jobs.submit(farm, Caller(Role.SUBMITTER, name="films"), body, Key("nightly", "a body"))
        assert repeated.job.id in known
        fresh = submit(farm)
        assert all_jobs(farm)[fresh].seq == max(job.seq for job in known.values()) + 1
        assert farm.store.history == history + 1
    move(Database(url), Directory(state_dir), clock().wall)
    with embedded_farm(state_dir, clock) as farm:
        assert all_jobs(farm).keys() == {*known, fresh}
        submit(farm)
        assert farm.store.history == history + 2


def test_what_a_killed_master_did_not_number_any_more_is_moved_too(
    tmp_path: Path, postgresql: Server, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.new_schema()
    with shared_farm(url, tmp_path / "master", clock) as farm:
        submit(farm)
        monkeypatch.setattr("master.store.postgres.teller.Teller.publish", lambda *_: None)
        last = submit(farm)
    moved = move(Database(url), Directory(tmp_path / "state"), clock().wall)
    assert (moved.contents.jobs, moved.contents.events) == (2, 2)
    with embedded_farm(tmp_path / "state", clock) as farm:
        assert last in all_jobs(farm)


def test_a_farm_at_which_nothing_happened_is_moved_too(
    tmp_path: Path, postgresql: Server, clock: FakeClock
) -> None:
    url = postgresql.new_schema()
    with embedded_farm(tmp_path / "state", clock):
        pass
    move(Directory(tmp_path / "state"), Database(url), clock().wall)
    moved = move(Database(url), Directory(tmp_path / "state"), clock().wall)
    assert moved.contents.history == 0
    with embedded_farm(tmp_path / "state", clock) as farm:
        submit(farm)


def test_how_far_webhooks_were_told_is_moved_too(
    state_dir: Path, postgresql: Server, clock: FakeClock
) -> None:
    url = postgresql.new_schema()
    with embedded_farm(state_dir, clock) as farm:
        (webhook,) = farm.store.webhooks()
        book = farm.store.open_book(state_dir)
        book.taken(webhook.id, Try("m-1", 5, "job_failed", 1, 100.5, 0.25, 200, None, None), 0)
        book.failed(
            webhook.id, Try("m-2", 9, "job_failed", 2, 101.0, 0.5, None, "no answer", 130.0), 101.0, 0
        )
        assert book.wish(webhook.id, "m-3", 4)
        known = book.standing(webhook.id), book.next_wish(webhook.id), book.tries(webhook.id, 10)
        book.close()
    move(Directory(state_dir), Database(url), clock().wall)
    with shared_farm(url, state_dir, clock) as farm:
        book = farm.store.open_book(state_dir)
        assert not book.is_new
        assert (book.standing(webhook.id), book.next_wish(webhook.id), book.tries(webhook.id, 10)) == known
        book.passed(webhook.id, 9, 0)
        assert (further := book.standing(webhook.id)) != known[0]
    move(Database(url), Directory(state_dir), clock().wall)
    with embedded_farm(state_dir, clock) as farm:
        book = farm.store.open_book(state_dir)
        assert book.standing(webhook.id) == further
        assert (book.next_wish(webhook.id), book.tries(webhook.id, 10)) == known[1:]
        book.close()
