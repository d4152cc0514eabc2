"""Masters that share a database decide as one would: nothing is given twice, and nobody is forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from common.model import JobStatus
from common.problems import UNAVAILABLE, Problem
from common.schema import SubmitSchema
from master.lifecycle import commands, events
from master.service import Farm, JobView, jobs, queue
from master.submission import Key
from tests.core.support import (
    AGENT,
    LADDER,
    OPERATOR,
    all_jobs,
    claim,
    divide,
    finish,
    job,
    must_claim,
    next_job,
    parts,
    register,
    submit,
)
from tests.store.postgresql.conftest import Masters, at_once, somebody_waits, until


def test_what_one_master_answers_the_others_know(masters: Masters) -> None:
    first, second = masters(2)
    job_id = submit(first)
    view = must_claim(second, register(first))
    assert view.job.id == job_id
    finish(first, view)
    assert job(second, job_id).job.status is JobStatus.COMPLETED


def test_jobs_that_are_asked_for_at_once_are_given_once_each_in_their_order(masters: Masters) -> None:
    farms = masters(2)
    ids = [submit(farms[0]) for _ in range(12)]
    nodes = [register(farms[0], f"worker-{number}") for number in range(8)]
    given = at_once(*(partial(must_claim, farms[n % 2], node) for n, node in enumerate(nodes)))
    assert sorted(ids.index(view.job.id) for view in given) == list(range(8))


def test_a_node_that_asks_two_masters_at_once_gets_no_more_than_it_has_slots(masters: Masters) -> None:
    farms = masters(2)
    for _ in range(4):
        submit(farms[0])
    node_id = register(farms[0])
    given = at_once(*(partial(claim, farms[n % 2], node_id) for n in range(4)))
    assert sum(view is not None for view in given) == 1


def test_one_key_makes_one_job_however_many_masters_get_it_at_once(masters: Masters) -> None:
    farms = masters(2)
    key = Key("nightly", "a body")
    made = at_once(*(partial(submit_with, farms[n % 2], key) for n in range(6)))
    assert len(set(made)) == len(all_jobs(farms[0])) == 1


def submit_with(farm: Farm, key: Key) -> str:
    return jobs.submit(farm, OPERATOR, SubmitSchema().load({"scenario": "720p-h264"}), key).job.id


@pytest.mark.parametrize("turn", range(3))
def test_when_all_parts_end_at_once_their_parent_goes_on(masters: Masters, turn: int) -> None:
    farms = masters(2)
    node_id = register(farms[0], caller=AGENT)
    parent_id = submit(farms[0], parameters=LADDER)
    divide(farms[0], node_id, parent_id)
    views = [must_claim(farms[0], register(farms[0], each.id, AGENT)) for each in parts(farms[0], parent_id)]
    at_once(*(partial(finish_surely, farms[n % 2], view) for n, view in enumerate(views)))
    assert job(farms[0], parent_id).pending_reason == "waits for a free slot"
    finish(farms[1], must_claim(farms[1], node_id))
    assert job(farms[0], parent_id).job.status is JobStatus.COMPLETED


@pytest.mark.parametrize("turn", range(3))
def test_when_all_dependencies_end_at_once_who_waits_for_them_goes_on(masters: Masters, turn: int) -> None:
    farms = masters(2)
    ids = [submit(farms[0]) for _ in range(4)]
    last = submit(farms[0], depends_on=ids)
    views = [must_claim(farms[0], register(farms[0], each)) for each in ids]
    at_once(*(partial(finish_surely, farms[n % 2], view) for n, view in enumerate(views)))
    assert must_claim(farms[1], register(farms[1])).job.id == last


@pytest.mark.parametrize("turn", range(5))
def test_a_job_that_comes_while_its_dependency_ends_does_not_wait_for_ever(
    masters: Masters, turn: int
) -> None:
    first, second = masters(2)
    node_id = register(first)
    early = submit(first)
    view = must_claim(first, node_id)
    at_once(partial(submit, second, depends_on=[early]), partial(finish_surely, first, view))
    late = next(each for each in all_jobs(first) if each != early)
    assert must_claim(first, node_id).job.id == late


def test_the_queue_is_paused_when_all_that_is_given_out_just_then_is_given(masters: Masters) -> None:
    giving, pausing = masters(2)
    node_id = register(giving)
    job_id = submit(giving)

    def pause() -> JobStatus:
        queue.change(pausing, OPERATOR, commands.PauseQueue())
        return job(pausing, job_id).job.status

    with ThreadPoolExecutor(1) as pool:
        with giving.store.transaction(giving.clock()) as tx:
            found, node = tx.job(job_id), tx.node(node_id)
            assert node is not None
            tx.hold([node])
            paused = pool.submit(pause)
            until(lambda: paused.done() or somebody_waits(giving))
            assert giving.decide(tx, commands.Claim("a-lease"), job=found, node=node)
        assert paused.result() is JobStatus.RUNNING


def test_what_was_changed_since_it_was_read_is_not_overwritten(masters: Masters) -> None:
    first, second = masters(2)
    job_id = submit(first)

    def pause_what_is_canceled_meanwhile() -> None:
        with first.store.transaction(first.clock()) as tx:
            assert tx.job(job_id) is not None
            jobs.change(second, OPERATOR, job_id, commands.Cancel())
            tx.record([events.JobPaused(job_id, first.clock().wall)])

    with pytest.raises(Problem) as refused:
        pause_what_is_canceled_meanwhile()
    assert refused.value.type is UNAVAILABLE
    assert job(first, job_id).job.status is JobStatus.CANCELED
    assert [heard.entry["event"] for heard in first.feed.after(0, 9).heard] == [
        "job_submitted",
        "job_canceled",
    ]


def test_all_masters_are_told_the_same_in_the_same_order(masters: Masters) -> None:
    farms = masters(2)
    heard: list[list[int]] = [[], []]
    for farm, into in zip(farms, heard, strict=True):
        farm.feed.subscribe(lambda some, into=into: into.extend(each.seq for each in some))  # type: ignore[misc]
    at_once(*(partial(submit, farms[n % 2]) for n in range(10)))
    until(lambda: min(map(len, heard)) == 10)
    assert heard[0] == heard[1] == list(range(1, 11))
    told = [[each.entry for each in farm.feed.after(0, 100).heard] for farm in farms]
    assert told[0] == told[1]


def test_an_agent_that_waits_at_one_master_gets_what_comes_to_another(masters: Masters) -> None:
    first, second = masters(2)
    node_id = register(first)
    views = at_once(lambda: next_job(first, OPERATOR, node_id, None, 60), lambda: submit_later(first, second))
    assert views[0] is not None
    assert {views[0].job.id} == set(all_jobs(second))


def submit_later(waiting: Farm, other: Farm) -> None:
    until(lambda: len(waiting.waiters) > 0)
    submit(other)


def finish_surely(farm: Farm, view: JobView) -> None:
    """As an agent does, which asks again when the master cannot now."""
    while True:
        try:
            finish(farm, view)
        except Problem as problem:
            if problem.type is not UNAVAILABLE:
                raise
        else:
            return
