"""Of a file in chunks a node gets the one that it finishes in time; if there is none, the next other job."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from common.model import Stage
from master.service import work
from master.service.farm import Farm
from tests.core.support import (
    AGENT,
    OPERATOR,
    FakeClock,
    claim,
    divisible,
    finish,
    must_claim,
    register,
    submit,
    tell,
)
from tests.core.test_parked_polls import poll
from tests.core.test_splits import plan, split


def node(farm: Farm) -> str:
    return register(farm, caller=AGENT, media_roots=["films"])


class Race:
    """Eight chunks; the fast node needs 10 seconds for one, the slow one 50. Of one, nobody has begun yet."""

    def __init__(self, farm: Farm, clock: FakeClock) -> None:
        self.fast, self.slow = node(farm), node(farm)
        self.parent_id = split(farm, {"split": 8, "crf": 23})
        plan(farm, self.fast, divisible(others=False))
        self.views = {name: must_claim(farm, name) for name in (self.fast, self.slow)}
        for _ in range(5):
            clock.advance(10)
            finish(farm, self.views[self.fast])
            self.views[self.fast] = must_claim(farm, self.fast)
        finish(farm, self.views[self.slow])


@pytest.fixture
def race(farm: Farm, clock: FakeClock) -> Race:
    return Race(farm, clock)


def test_a_slow_node_leaves_the_last_chunk_to_a_fast_one(farm: Farm, race: Race) -> None:
    assert claim(farm, race.slow) is None
    finish(farm, race.views[race.fast])
    assert must_claim(farm, race.fast).job.stage is Stage.CHUNK


def test_it_gets_the_next_job_that_is_none_of_this_file(farm: Farm, race: Race) -> None:
    other = submit(farm)
    assert must_claim(farm, race.slow).job.id == other


def test_it_gets_a_chunk_of_another_file_that_waits_behind_this_one(farm: Farm, race: Race) -> None:
    other = split(farm, {"split": 4, "crf": 23})
    planning = must_claim(farm, race.slow)
    assert planning.job.id == other
    assert planning.job.lease is not None
    work.release(farm, OPERATOR, other, race.slow, planning.job.lease.lease_id)
    plan(farm, race.slow, divisible(others=False))
    found = must_claim(farm, race.slow).job
    assert (found.parent_id, found.stage) == (other, Stage.CHUNK)


def test_it_gets_the_chunk_after_all_when_the_fast_one_hangs(
    farm: Farm, race: Race, clock: FakeClock
) -> None:
    assert claim(farm, race.slow) is None
    clock.advance(46)  # more than half of a lease
    assert must_claim(farm, race.slow).job.stage is Stage.CHUNK


def test_it_gets_the_chunk_after_all_when_the_fast_one_says_that_it_takes_long(
    farm: Farm, race: Race
) -> None:
    assert claim(farm, race.slow) is None
    tell(farm, race.views[race.fast], 60.0)
    assert must_claim(farm, race.slow).job.stage is Stage.CHUNK


def test_a_parked_poll_that_declined_looks_again_in_the_rounds_of_the_reaper(farm: Farm, race: Race) -> None:
    with ThreadPoolExecutor(1) as pool:
        parked = poll(farm, pool, race.slow)
        work.reap(farm)
        assert not parked.done()
        tell(farm, race.views[race.fast], 60.0)
        while not parked.done():
            work.reap(farm)
        view = parked.result(10)
    assert view is not None
    assert view.job.stage is Stage.CHUNK


def test_without_chunks_no_poll_looks_in_vain(farm: Farm) -> None:
    with ThreadPoolExecutor(1) as pool:
        parked = poll(farm, pool, node(farm), 1)
        work.reap(farm)
        assert len(farm.waiters) == 1
        assert parked.result(10) is None
