"""A verb whose transaction collided is tried again, a few times, and what it does then is done once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from common.model import JobStatus
from common.problems import UNAVAILABLE, Problem
from master.service import again, work
from master.service.farm import Farm
from master.store.errors import CollisionError
from master.store.interface import Transaction
from tests.core.support import OPERATOR, all_jobs, claim, finish, job, must_claim, register, report, submit

Collide = Callable[[int], list[int]]


@pytest.fixture
def collide(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> Collide:
    """Lets the next transactions end as those that collide: nothing of them is kept."""
    monkeypatch.setattr(again, "PAUSES", (0.0, 0.0, 0.0))

    def begin(count: int) -> list[int]:
        left, seen = [count], [0]
        transaction = type(farm.store).transaction

        @contextmanager
        def colliding(store: Any, *args: Any) -> Iterator[Transaction]:
            seen[0] += 1
            with transaction(store, *args) as tx:
                if left[0]:
                    left[0] -= 1
                    raise CollisionError("A job")
                yield tx

        monkeypatch.setattr(type(farm.store), "transaction", colliding)
        return seen

    return begin


def test_what_collided_is_done_once(farm: Farm, collide: Collide) -> None:
    collide(2)
    submit(farm)
    assert len(all_jobs(farm)) == 1


def test_a_claim_and_a_report_that_collided_are_tried_again(farm: Farm, collide: Collide) -> None:
    node_id, job_id = register(farm), submit(farm)
    collide(1)
    view = must_claim(farm, node_id)
    collide(1)
    finish(farm, view)
    assert job(farm, job_id).job.status is JobStatus.COMPLETED
    assert claim(farm, node_id) is None


def test_the_log_of_a_report_that_collided_is_there_once(farm: Farm, collide: Collide) -> None:
    node_id, job_id = register(farm), submit(farm)
    view = must_claim(farm, node_id)
    collide(2)
    assert work.finish_all(farm, OPERATOR, [(report(view), ["the last line"])]) == [None]
    assert farm.logs.read(job_id) == ["the last line"]


def test_who_collides_again_and_again_is_told_to_ask_later(farm: Farm, collide: Collide) -> None:
    seen = collide(100)
    with pytest.raises(Problem) as refused:
        submit(farm)
    assert refused.value.type is UNAVAILABLE
    assert seen == [len(again.PAUSES) + 1]


def test_what_is_unavailable_for_another_reason_is_not_tried_again(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def full(*_: Any) -> None:
        tries.append(1)
        raise UNAVAILABLE("The disk is full.")

    monkeypatch.setattr(type(farm.store), "transaction", full)
    with pytest.raises(Problem):
        submit(farm)
    assert len(tries) == 1
