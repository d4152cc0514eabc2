"""The newest ended attempts of each node are at hand without a search, also after a restart."""

from __future__ import annotations

from pathlib import Path

from common.model import Failure, JobStatus
from master.lifecycle import commands
from master.service import Farm, jobs, nodes
from master.store.recent import KEPT, Ended
from tests.core.support import OPERATOR, FakeClock, crash, finish, make_farm, must_claim, register, submit

BROKEN = Failure("agent_error", "it broke")


def recent(farm: Farm, node_id: str) -> list[Ended]:
    with farm.store.transaction(farm.clock()) as tx:
        return tx.recent(node_id)


def one_job(farm: Farm, clock: FakeClock, node_id: str, **how: object) -> str:
    job_id = submit(farm)
    view = must_claim(farm, node_id)
    clock.advance(7)
    finish(farm, view, **how)  # type: ignore[arg-type]  # the fields of a report
    return job_id


def test_they_are_the_node_s_own_newest_first_with_their_outcomes(farm: Farm, clock: FakeClock) -> None:
    node_id, other = register(farm), register(farm, "worker-02")
    good = one_job(farm, clock, node_id)
    bad = one_job(farm, clock, node_id, status=JobStatus.FAILED, error=BROKEN)
    one_job(farm, clock, other)
    found = recent(farm, node_id)
    assert [(each.job_id, each.outcome, each.code) for each in found] == [
        (bad, "failed", "agent_error"),
        (good, "completed", None),
    ]
    assert (found[0].ended_at - found[0].started_at).total_seconds() == 7


def test_an_attempt_that_runs_is_none_of_them(farm: Farm) -> None:
    node_id = register(farm)
    submit(farm)
    must_claim(farm, node_id)
    assert recent(farm, node_id) == []


def test_each_attempt_is_there_once_however_often_its_job_changes(farm: Farm, clock: FakeClock) -> None:
    node_id = register(farm)
    job_id = submit(farm)
    finish(farm, must_claim(farm, node_id), status=JobStatus.FAILED, error=BROKEN)
    jobs.change(farm, OPERATOR, job_id, commands.PauseJob())
    jobs.change(farm, OPERATOR, job_id, commands.ResumeJob())
    assert [each.number for each in recent(farm, node_id)] == [1]


def test_so_many_are_kept_and_no_more(farm: Farm, clock: FakeClock) -> None:
    node_id = register(farm)
    made = [one_job(farm, clock, node_id) for _ in range(KEPT + 3)]
    assert [each.job_id for each in recent(farm, node_id)] == made[: -KEPT - 1 : -1]


def test_a_restart_finds_them_again(farm: Farm, clock: FakeClock, tmp_path: Path) -> None:
    node_id = register(farm)
    for _ in range(3):
        one_job(farm, clock, node_id)
    before = recent(farm, node_id)
    crash(farm.store)
    assert recent(make_farm(tmp_path, clock), node_id) == before
    assert len(before) == 3


def test_they_go_with_their_node(farm: Farm, clock: FakeClock) -> None:
    node_id = register(farm)
    one_job(farm, clock, node_id)
    nodes.remove(farm, OPERATOR, node_id)
    assert recent(farm, node_id) == []
