"""Reports and claims that share a transaction: one sync for all, and none of them spoils another."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import pytest

from common import problems
from common.model import JobStatus
from common.problems import Problem
from master.lifecycle.events import Event
from master.service import Farm, JobView, claiming, work
from master.service.claiming import Poll
from master.store.gathered import Gathered
from master.store.journal import JournalFullError
from tests.core.support import OPERATOR, claim, embedded, job, must_claim, next_jobs, register, report, submit


def several(farm: Farm, count: int) -> list[JobView]:
    """Jobs that run on one node."""
    node_id = register(farm, max_concurrent_jobs=count)
    for _ in range(count):
        submit(farm)
    return next_jobs(farm, OPERATOR, Poll(node_id, most=count), 0)


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often the disk was asked to sync since this was asked last."""
    real, counted = os.fdatasync, [0]

    def sync(fd: int) -> None:
        counted[0] += 1
        real(fd)

    def taken() -> int:
        found, counted[0] = counted[0], 0
        return found

    monkeypatch.setattr(os, "fdatasync", sync)
    return taken


def room_for(farm: Farm, records: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk has room for so many decisions more."""
    append, add, write, left = embedded(farm)._journal.append, Gathered.add, Gathered.write, [records]

    def take_one() -> None:
        if left[0] == 0:
            raise JournalFullError("no room")
        left[0] -= 1

    def appended(payload: bytes) -> None:
        take_one()
        append(payload)

    def added(gathered: Gathered, events: Sequence[Event]) -> None:
        take_one()
        add(gathered, events)

    def written(gathered: Gathered) -> None:
        left[0] += bool(gathered._encoded)  # these have their room
        write(gathered)

    monkeypatch.setattr(embedded(farm)._journal, "append", appended)
    monkeypatch.setattr(Gathered, "add", added)
    monkeypatch.setattr(Gathered, "write", written)


def test_many_claims_and_many_reports_are_synced_once_each(farm: Farm, syncs: Callable[[], int]) -> None:
    node_id = register(farm, max_concurrent_jobs=20)
    for _ in range(20):
        submit(farm)
    syncs()
    views = next_jobs(farm, OPERATOR, Poll(node_id, most=20), 0)
    assert (len(views), syncs()) == (20, 1)
    assert work.finish_all(farm, OPERATOR, [(report(view), []) for view in views]) == [None] * 20
    assert syncs() == 1


def test_a_report_and_the_next_claim_are_synced_once(farm: Farm, syncs: Callable[[], int]) -> None:
    view = must_claim(farm, register(farm)) if submit(farm) else None
    assert view is not None
    submit(farm)
    syncs()
    assert work.finish_and_claim(farm, OPERATOR, report(view), [], None) is not None
    assert syncs() == 1


def test_a_poll_that_looks_again_is_not_given_what_a_report_was_answered_since(farm: Farm) -> None:
    first, other = several(farm, 2)
    assert first.job.lease is not None
    assert other.job.lease is not None
    held = [first.job.lease.lease_id, other.job.lease.lease_id]
    poll = Poll(first.job.lease.node_id, held)
    assert claiming.claim(farm, OPERATOR, poll, hear=True) == []
    submit(farm)
    following = work.finish_and_claim(farm, OPERATOR, report(first), [], held)
    assert following is not None
    assert claiming.claim(farm, OPERATOR, poll, hear=False) == []
    # A new poll that does not list it has not heard of it.
    again = claim(farm, poll.node_id, held)
    assert again is not None
    assert again.job.id == following.job.id


def test_a_report_is_taken_where_there_is_no_room_for_a_claim(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    (view,) = several(farm, 1)
    waiting = submit(farm)
    room_for(farm, 1, monkeypatch)
    assert work.finish_and_claim(farm, OPERATOR, report(view), ["said"], None) is None
    assert job(farm, view.job.id).job.status is JobStatus.COMPLETED
    assert job(farm, waiting).job.status is JobStatus.PENDING
    assert farm.logs.read(view.job.id) == ["said"]


def test_a_batch_that_the_disk_has_no_room_for_may_be_sent_again(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    views = several(farm, 3)
    reports = [(report(view), [f"of {view.job.id}"]) for view in views]
    with monkeypatch.context() as patched:
        room_for(farm, 2, patched)
        with pytest.raises(Problem) as refused:
            work.finish_all(farm, OPERATOR, reports)
        assert refused.value.type is problems.UNAVAILABLE
    assert work.finish_all(farm, OPERATOR, reports) == [None] * 3
    for view in views:
        assert job(farm, view.job.id).job.status is JobStatus.COMPLETED
        assert farm.logs.read(view.job.id) == [f"of {view.job.id}"]
