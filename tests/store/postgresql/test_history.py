"""The history in the database: numbers without holes, read back from any place, and told of what is gone."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from common.history import History
from master.feed import RING
from master.service import Farm, queue
from master.store.trail import Wanted
from tests.core.support import OPERATOR, FakeClock, finish, must_claim, register, submit
from tests.store.postgresql.conftest import Masters, at_once, until


@pytest.fixture
def farm(masters: Masters) -> Farm:
    return masters(1)[0]


def numbers(farm: Farm, before: int, limit: int, wanted: Wanted) -> list[int]:
    return [entry["seq"] for entry in farm.store.trail.page(before, limit, wanted).entries]


def test_what_is_recorded_at_once_gets_numbers_without_holes(masters: Masters) -> None:
    farms = masters(2)
    at_once(*(partial(submit, farms[n % 2]) for n in range(8)))
    assert numbers(farms[0], 100, 100, Wanted()) == [8, 7, 6, 5, 4, 3, 2, 1]
    until(lambda: farms[0].store.history == farms[1].store.history == 8)


def test_what_follows_from_something_has_a_higher_number(farm: Farm) -> None:
    node_id = register(farm)
    for _ in range(3):
        submit(farm)
        finish(farm, must_claim(farm, node_id))
    page = farm.store.trail.page(100, 100, Wanted(job_id=must_be_done(farm)))
    assert [entry["event"] for entry in page.entries] == ["job_completed", "job_claimed", "job_submitted"]


def must_be_done(farm: Farm) -> str:
    with farm.store.transaction(farm.clock()) as tx:
        return tx.finished_last(1)[0].id


def test_pages_go_on_where_the_last_one_ended(farm: Farm) -> None:
    for _ in range(5):
        submit(farm)
    first = farm.store.trail.page(100, 2, Wanted())
    assert [entry["seq"] for entry in first.entries] == [5, 4]
    assert first.next is not None
    second = farm.store.trail.page(first.next, 10, Wanted())
    assert [entry["seq"] for entry in second.entries] == [3, 2, 1]
    assert second.next is None


def test_times_filter_it(farm: Farm, clock: FakeClock) -> None:
    for _ in range(3):
        submit(farm)
        clock.advance(60)
    begin = clock.now.wall - timedelta(seconds=180)
    assert numbers(farm, 100, 100, Wanted(since=begin + timedelta(seconds=60))) == [3, 2]
    assert numbers(farm, 100, 100, Wanted(until=begin + timedelta(seconds=60))) == [1]


def test_a_reader_that_returns_late_is_told_from_the_database(masters: Masters) -> None:
    first, second = masters(2)
    for _ in range(3):
        submit(first)
    until(lambda: second.feed.seq == 3)
    again = masters(1)[0]  # it was started since: nothing of it is in its memory
    assert again.feed.remembers(0) is False
    assert RING > 3
    assert [heard.seq for heard in again.feed.after(0, 10).heard] == [1, 2, 3]


def test_what_was_removed_is_said_to_be_lost(farm: Farm, clock: FakeClock) -> None:
    for _ in range(3):
        submit(farm)
        clock.advance(3600)
    assert farm.store.trail.remove_before(clock.now.wall - timedelta(seconds=5400)) == 2
    onward = farm.store.trail.after(0, 3, 10, Wanted())
    assert (onward.lost, [entry["seq"] for entry in onward.entries]) == (2, [3])


def test_the_newest_event_stays_however_old_it_is(farm: Farm, clock: FakeClock) -> None:
    submit(farm)
    clock.advance(1e6)
    assert farm.store.trail.remove_before(clock.now.wall) == 0


def test_a_history_that_was_lost_moves_the_numbers_on(farm: Farm) -> None:
    submit(farm)
    queue.compare_histories(farm, OPERATOR.__class__(OPERATOR.role, heard=History(77, "lost")))
    submit(farm)
    assert numbers(farm, 1000, 10, Wanted()) == [79, 78, 1]
    assert farm.store.history == 79
