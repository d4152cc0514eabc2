"""What heartbeats tell of a node's load is shown, and kept for a while in a bounded ring."""

from __future__ import annotations

from common.model import Load, Progress
from master.service import Farm, nodes
from master.store.samples import APART, KEPT
from tests.core.support import OPERATOR, FakeClock, must_claim, register, submit

BUSY = Load(cpu=0.75, memory=0.5)


def beat(farm: Farm, node_id: str, load: Load | None = BUSY) -> None:
    nodes.heartbeat(farm, OPERATOR, node_id, None, load=load)


def test_a_node_has_the_load_of_its_newest_heartbeat(farm: Farm) -> None:
    node_id = register(farm)
    assert nodes.get(farm, node_id).load is None
    beat(farm, node_id)
    assert nodes.get(farm, node_id).load == BUSY
    beat(farm, node_id, Load(cpu=0.25))
    assert nodes.get(farm, node_id).load == Load(cpu=0.25, memory=None)


def test_an_agent_that_does_not_say_is_of_unknown_load(farm: Farm) -> None:
    node_id = register(farm)
    beat(farm, node_id, None)
    assert nodes.get(farm, node_id).load is None


def test_a_sample_says_what_ran_and_how_fast(farm: Farm, clock: FakeClock) -> None:
    node_id = register(farm, max_concurrent_jobs=2)
    for fps in (24.0, None):
        submit(farm)
        lease = must_claim(farm, node_id).job.lease
        assert lease is not None
        how_far = Progress(fps=fps, speed=fps and fps / 30)
        farm.store.liveness.set_progress(lease.lease_id, how_far, farm.clock())
    beat(farm, node_id)
    (taken,) = farm.store.liveness.samples.of(node_id)
    assert (taken.at, taken.load, taken.running) == (clock.now.wall, BUSY, 2)
    assert (taken.fps, taken.speed) == (24.0, 0.8)


def test_the_rate_of_a_node_that_runs_nothing_is_unknown(farm: Farm) -> None:
    node_id = register(farm)
    beat(farm, node_id)
    (taken,) = farm.store.liveness.samples.of(node_id)
    assert (taken.running, taken.fps, taken.speed) == (0, None, None)


def test_so_many_samples_are_kept_and_no_more(farm: Farm, clock: FakeClock) -> None:
    node_id = register(farm)
    for _ in range(KEPT + 5):
        beat(farm, node_id)
        clock.advance(APART)
    kept = farm.store.liveness.samples.of(node_id)
    assert len(kept) == KEPT
    assert kept[-1].mono == clock.now.mono - APART


def test_who_beats_fast_keeps_no_shorter_time(farm: Farm, clock: FakeClock) -> None:
    node_id = register(farm)
    for number in range(11):
        beat(farm, node_id, Load(cpu=number / 100))
        clock.advance(APART / 10)
    kept = farm.store.liveness.samples.of(node_id)
    assert [taken.load.cpu for taken in kept] == [0.0, 0.1]
    assert nodes.get(farm, node_id).load == Load(cpu=0.1)


def test_nothing_is_kept_of_a_node_that_was_removed(farm: Farm) -> None:
    node_id = register(farm)
    beat(farm, node_id)
    nodes.remove(farm, OPERATOR, node_id)
    assert farm.store.liveness.samples.of(node_id) == []
    assert farm.store.liveness.samples.load(node_id) is None
