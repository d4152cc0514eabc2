"""Lists can leave out the parts of divided jobs: then pages, counts and results are of whole jobs only."""

from __future__ import annotations

from common.model import Job, JobStatus
from master.api.documents import archive_entry
from master.lifecycle import commands
from master.service import glance, jobs, retention
from master.service.farm import Farm
from master.store.listings import listing_key
from tests.core.support import (
    AGENT,
    LADDER,
    OPERATOR,
    FakeClock,
    all_jobs,
    divide,
    finish,
    must_claim,
    register,
    submit,
)
from tests.core.test_splits import node, plan, split


def listed(farm: Farm, status: JobStatus | None = None, *, whole: bool = True, limit: int = 100) -> list[str]:
    """The ids of all pages; each says how many there are on all of them."""
    found: list[Job] = []
    while True:
        after = listing_key(found[-1]) if found else None
        views, count = jobs.page(farm, OPERATOR, status, after, limit, whole=whole)
        found += [view.job for view in views]
        if len(views) < limit:
            assert count == len(found)
            return [job.id for job in found]


def test_the_chunks_of_a_file_are_left_out_and_the_file_is_not(farm: Farm) -> None:
    node_id = node(farm)
    film, other = split(farm), submit(farm)
    plan(farm, node_id)
    assert listed(farm) == listed(farm, JobStatus.PENDING) == [film, other]
    assert len(listed(farm, whole=False)) == 7
    must_claim(farm, node_id)
    assert listed(farm, JobStatus.RUNNING) == []
    assert len(listed(farm, JobStatus.RUNNING, whole=False)) == 1


def test_the_rungs_of_a_ladder_are_left_out_as_chunks_are(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT, max_concurrent_jobs=8)
    ladder = submit(farm, parameters=LADDER)
    rungs = divide(farm, node_id, ladder)
    for _ in (*rungs, "the join"):
        finish(farm, must_claim(farm, node_id))
    assert listed(farm) == [ladder]
    whole, count = jobs.results_page(farm, OPERATOR, None, 10, whole=True)
    assert ([job.id for job in whole], count) == ([ladder], 1)
    every, count = jobs.results_page(farm, OPERATOR, None, 10)
    assert ({job.id for job in every}, count) == ({ladder, *(rung.id for rung in rungs)}, 4)


def test_a_list_of_all_is_in_one_order_whatever_is_a_part(farm: Farm) -> None:
    node_id = node(farm)
    first = submit(farm)
    jobs.change(farm, OPERATOR, first, commands.Cancel())
    split(farm)
    submit(farm)
    plan(farm, node_id)
    submit(farm)
    finish(farm, must_claim(farm, node_id))
    every = [all_jobs(farm)[each] for each in listed(farm, whole=False)]
    assert len(every) == 9
    assert every == sorted(every, key=listing_key)
    assert listed(farm, whole=False, limit=2) == [job.id for job in every]


def test_people_see_whole_jobs_and_of_what_runs_the_parts(farm: Farm) -> None:
    node_id = node(farm)
    film = split(farm)
    plan(farm, node_id)
    chunk = must_claim(farm, node_id)
    seen = glance.get(farm, OPERATOR)
    assert (seen.counts[JobStatus.PENDING], seen.counts[JobStatus.RUNNING]) == (1, 1)
    assert [view.job.id for view in seen.running] == [chunk.job.id]
    jobs.change(farm, OPERATOR, film, commands.Cancel())
    assert glance.get(farm, OPERATOR).counts[JobStatus.CANCELED] == 1
    assert glance.counts(farm, OPERATOR, parts=True)[JobStatus.CANCELED] == 6
    assert (glance.count(farm, OPERATOR, parts=False), glance.count(farm, OPERATOR, parts=True)) == (1, 6)


def test_the_archive_leaves_parts_out_too(farm: Farm, clock: FakeClock) -> None:
    node_id = register(farm, caller=AGENT, max_concurrent_jobs=8)
    ladder = submit(farm, parameters=LADDER)
    for _ in (*divide(farm, node_id, ladder), "the join"):
        finish(farm, must_claim(farm, node_id))
    clock.advance(1)
    retention.Retention(farm, archive_entry).round(clock.now.wall, clock.now)
    assert listed(farm, whole=False) == []
    whole, rest = retention.page(farm, OPERATOR, None, 10, None, whole=True)
    assert ([entry["job"]["id"] for entry in whole], rest) == ([ladder], None)
    assert len(retention.page(farm, OPERATOR, None, 10, None)[0]) == 4
