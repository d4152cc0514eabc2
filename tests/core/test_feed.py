"""The feed tells every event once, in order, and says where it cannot."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.model import Actor, JobStatus, Role
from common.schema import SubmitSchema
from master.feed import Feed, Heard
from master.lifecycle import commands, events
from master.lifecycle.audit import Entry
from master.service import Caller, Farm, jobs
from master.store import snapshot
from master.store.segments import number_of, segments
from master.store.told import Told
from master.store.trail import Onward, Page, Wanted
from tests.core.support import (
    OPERATOR,
    FakeClock,
    crash,
    embedded,
    finish,
    make_farm,
    must_claim,
    register,
    submit,
)
from tests.store.support import recorded_in

AT = datetime(2026, 1, 1, tzinfo=UTC)


class StoreWithoutDisk:
    """What a feed needs of a store; its trail has nothing."""

    def __init__(self) -> None:
        self.history = 0
        self.trail = self

    def subscribe(self, listener: object) -> None:
        """The tests tell the feed themselves."""

    def owner_of(self, job_id: str) -> str | None:
        return None

    def page(self, before: int, limit: int, wanted: Wanted) -> Page:
        return Page((), None, ())

    def after(self, seq: int, upto: int, limit: int, wanted: Wanted) -> Onward:
        return Onward((), upto, upto)


def transactions(sizes: Sequence[int]) -> list[Told]:
    """As many transactions, with as many events each."""
    told: list[Told] = []
    before = 0
    for size in sizes:
        happened = [events.JobPaused("j", AT)] * size
        told.append(Told(before, before + size, happened, Actor("operator"), AT, {}))
        before += size
    return told


def numbers(found: Sequence[Heard]) -> list[int]:
    return [each.seq for each in found]


def all_after(feed: Feed, seq: int, limit: int = 7, wanted: Wanted | None = None) -> list[Entry]:
    """All that the feed tells, stretch by stretch; nothing is lost."""
    found: list[Entry] = []
    while seq < feed.seq:
        stretch = feed.after(seq, limit, wanted or Wanted())
        assert stretch.lost is None
        assert len(stretch.heard) <= limit
        assert stretch.reached > seq
        found += [each.entry for each in stretch.heard]
        seq = stretch.reached
    return found


@settings(deadline=None)
@given(data=st.data())
def test_transactions_told_in_any_order_are_heard_in_theirs(data: st.DataObject) -> None:
    told = transactions(data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=8)))
    feed, heard = Feed(StoreWithoutDisk()), list[int]()
    feed.subscribe(lambda some: heard.extend(numbers(some)))
    for each in data.draw(st.permutations(told)):
        feed._hear(each)
        assert heard == list(range(1, len(heard) + 1))
    assert len(heard) == told[-1].after
    assert [entry["seq"] for entry in all_after(feed, 0)] == heard


def test_nothing_is_told_before_what_came_before_it() -> None:
    feed = Feed(StoreWithoutDisk())
    first, second = transactions([1, 1])
    feed._hear(second)
    assert feed.seq == 0
    assert numbers(feed.after(0, 10).heard) == []
    feed._hear(first)
    assert numbers(feed.after(0, 10).heard) == [1, 2]


def test_what_a_listener_brings_about_is_heard_after_what_it_was_told(farm: Farm) -> None:
    job_id, heard = submit(farm), list[str]()

    def react(some: Sequence[Heard]) -> None:
        heard.extend(each.entry["event"] for each in some)
        if heard == ["job_paused"]:
            jobs.change(farm, OPERATOR, job_id, commands.ResumeJob())
            assert heard == ["job_paused"]

    farm.feed.subscribe(react)
    jobs.change(farm, OPERATOR, job_id, commands.PauseJob())
    assert heard == ["job_paused", "job_resumed"]


def test_a_listener_that_fails_disturbs_nobody(farm: Farm, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[int] = []

    def fail(some: Sequence[Heard]) -> None:
        raise RuntimeError("a mistake")

    farm.feed.subscribe(fail)
    farm.feed.subscribe(lambda some: heard.extend(numbers(some)))
    submit(farm)
    assert heard == [1]
    assert "a listener of the feed failed" in caplog.text


def test_threads_that_submit_at_once_are_heard_in_the_journals_order(farm: Farm) -> None:
    heard: list[Heard] = []
    farm.feed.subscribe(heard.extend)
    threads = [threading.Thread(target=lambda: [submit(farm) for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.entry for each in heard] == recorded_in(farm.config.state_dir)


def test_what_has_left_the_memory_comes_from_the_trail(tmp_path: Path, clock: FakeClock) -> None:
    farm = make_farm(tmp_path, clock, segment_bytes=8192)
    feed = Feed(farm.store, size=5)
    node_id = register(farm)
    for _ in range(12):
        submit(farm)
        finish(farm, must_claim(farm, node_id))
    recorded = recorded_in(tmp_path)
    assert len(segments(tmp_path / "journal")) > 1
    assert all_after(feed, 0) == recorded
    assert all_after(feed, 9) == recorded[9:]
    fold(tmp_path)
    assert all_after(feed, 0) == recorded


def test_filters_hold_wherever_it_comes_from(tmp_path: Path, clock: FakeClock) -> None:
    farm = make_farm(tmp_path, clock, segment_bytes=8192)
    feed = Feed(farm.store, size=6)
    node_id = register(farm)
    ids = [submit(farm) for _ in range(16)]
    for _ in ids:
        finish(farm, must_claim(farm, node_id), JobStatus.COMPLETED)
    recorded = recorded_in(tmp_path)
    fold(tmp_path)
    for wanted in (Wanted(job_id=ids[3]), Wanted(event="job_completed"), Wanted(node_id=node_id)):
        assert all_after(feed, 0, 2, wanted) == [each for each in recorded if wanted.fits(each)]


def test_a_master_that_starts_again_remembers_the_newest(tmp_path: Path, clock: FakeClock) -> None:
    farm = make_farm(tmp_path, clock)
    for _ in range(9):
        submit(farm)
    crash(farm.store)
    again = make_farm(tmp_path, clock)
    submit(again)
    feed = again.feed
    assert numbers(feed.after(4, 100).heard) == [5, 6, 7, 8, 9, 10]
    assert feed._ring_after == 0


def test_what_was_removed_from_the_audit_is_said_to_be_lost(tmp_path: Path, clock: FakeClock) -> None:
    farm = make_farm(tmp_path, clock, segment_bytes=8192)
    feed = Feed(farm.store, size=3)
    for _ in range(30):
        submit(farm)
    fold(tmp_path)
    covered = embedded(farm).trail.files.last()
    for path in (tmp_path / "audit").iterdir():
        path.unlink()
    assert 0 < covered < 27
    stretch = feed.after(2, 1000)
    assert stretch.lost == covered
    assert numbers(stretch.heard)[0] == covered + 1
    assert feed.after(stretch.reached, 1000).lost is None


def test_what_is_damaged_is_said_to_be_lost_and_the_rest_is_told(tmp_path: Path, clock: FakeClock) -> None:
    farm = make_farm(tmp_path, clock, segment_bytes=8192)
    feed = Feed(farm.store, size=3)
    for _ in range(30):
        submit(farm)
    fold(tmp_path)
    covered = embedded(farm).trail.files.last()
    (path,) = (tmp_path / "audit").iterdir()
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(data[:middle] + bytes(20) + data[middle + 20 :])
    stretch = feed.after(0, 1000)
    assert stretch.lost == covered
    assert numbers(stretch.heard) == list(range(covered + 1, 31))[: len(stretch.heard)]
    assert numbers(stretch.heard)


def test_who_knows_of_more_than_there_is_is_told_that_it_is_lost(farm: Farm) -> None:
    submit(farm)
    stretch = farm.feed.after(100, 10)
    assert (stretch.heard, stretch.reached, stretch.lost) == ((), 1, 1)


def test_an_event_knows_whose_job_it_is_about_even_as_that_leaves(farm: Farm) -> None:
    heard: list[Heard] = []
    farm.feed.subscribe(heard.extend)
    alice = Caller(Role.SUBMITTER, name="alice")
    job_id = jobs.submit(farm, alice, SubmitSchema().load({"scenario": "720p-h264"})).job.id
    jobs.change(farm, alice, job_id, commands.Cancel())
    with farm.store.transaction(farm.clock()) as tx:
        tx.record([events.JobArchived(job_id, farm.clock().wall)])
    assert [each.owner for each in heard] == ["alice"] * 3


def fold(root: Path) -> None:
    *closed, _ = segments(root / "journal")
    snapshot.fold(root / "journal", number_of(closed[-1]))
