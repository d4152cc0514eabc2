"""A slow chunk is run once more by an idle node, its twin, and the first of both to be completed counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.model import Artifact, ArtifactKind, Failure, Findings, Job, JobStatus, Outcome, Stage
from common.problems import Problem
from master.api.documents import job_document, result_document
from master.lifecycle import commands
from master.service import JobView, jobs, nodes, queue, work
from master.service.farm import Farm
from tests.core.support import (
    OPERATOR,
    FakeClock,
    claim,
    crash,
    divisible,
    finish,
    job,
    make_farm,
    must_claim,
    parts,
    report,
    tell,
)
from tests.core.test_splits import plan, split
from tests.core.test_which_chunk_goes_where import node

BROKEN = Failure("encoder_error", "no such option")
MADE = Artifact("chunk.mp4", ArtifactKind.INTERMEDIATE, "video/mp4", 7, "1" * 64, f"file:{'1' * 64}")


class Twins:
    """Two chunks, one completed; the other runs on the slow node, and a twin of it on the fast one."""

    def __init__(self, farm: Farm, clock: FakeClock) -> None:
        self.farm = farm
        self.fast, self.slow, self.idle = node(farm), node(farm), node(farm)
        self.parent_id = split(farm, {"split": 2, "crf": 23})
        plan(farm, self.fast, divisible(others=False))
        quick = must_claim(farm, self.fast)
        self.first = must_claim(farm, self.slow)
        clock.advance(10)
        finish(farm, quick, metrics={"frames": 1, "cpu_seconds": 10.0})
        assert claim(farm, self.fast) is None, "nobody knows yet that it takes long"
        tell(farm, self.first, 60.0)
        self.twin = must_claim(farm, self.fast)

    def job(self, view: JobView) -> Job:
        return job(self.farm, view.job.id).job

    @property
    def parent(self) -> Job:
        return job(self.farm, self.parent_id).job

    @property
    def statuses(self) -> tuple[JobStatus, JobStatus, JobStatus]:
        return (self.job(self.first).status, self.job(self.twin).status, self.parent.status)

    def fails(self, view: JobView, error: Failure = BROKEN) -> None:
        finish(self.farm, view, JobStatus.FAILED, error=error)

    def holds_nothing(self, node_id: str) -> bool:
        shown = nodes.get(self.farm, node_id)
        return not shown.held and not shown.node.failing


@pytest.fixture
def pair(farm: Farm, clock: FakeClock) -> Twins:
    return Twins(farm, clock)


def test_a_twin_is_the_same_part_for_another_node(pair: Twins) -> None:
    first, twin = pair.first.job, pair.twin.job
    assert twin.twin_of == first.id
    same = ("parent_id", "part", "stage", "window", "parameters", "input", "output", "constraints", "owner")
    assert [getattr(twin, name) for name in same] == [getattr(first, name) for name in same]
    assert (twin.max_attempts, twin.lease and twin.lease.node_id) == (1, pair.fast)
    assert pair.statuses == (JobStatus.RUNNING, JobStatus.RUNNING, JobStatus.PENDING)
    assert job_document(pair.twin)["twin_of"] == first.id
    assert pair.parent.parts == ("chunk-001", "chunk-002")


def test_a_chunk_has_one_twin_at_most_and_a_twin_has_none(farm: Farm, pair: Twins, clock: FakeClock) -> None:
    clock.advance(50)
    assert claim(farm, pair.idle) is None
    pair.fails(pair.twin)
    assert claim(farm, pair.idle) is None


def test_the_rules_refuse_what_nobody_should_ask_for(farm: Farm, pair: Twins) -> None:
    asked = [pair.job(pair.first), pair.job(pair.twin), pair.parent]
    with farm.store.transaction(farm.clock()) as tx:
        idle = farm.require_node(tx, pair.idle)
        for each in asked:
            assert not farm.decide(tx, commands.ClaimTwin("lease"), job=each, node=idle)


def test_a_chunk_that_is_completed_before_its_twin_ends_that(farm: Farm, pair: Twins) -> None:
    finish(farm, pair.first)
    assert pair.statuses == (JobStatus.COMPLETED, JobStatus.CANCELED, JobStatus.PENDING)
    why = pair.job(pair.twin).error
    assert why is not None
    assert why.message == f"job {pair.first.job.id}, of which it is the twin, was completed first"
    assert pair.holds_nothing(pair.fast)
    with pytest.raises(Problem, match="does not hold the current lease"):
        finish(farm, pair.twin)
    assert must_claim(farm, pair.idle).job.stage is Stage.JOIN


def test_a_chunk_whose_twin_is_completed_first_is_completed_by_that(farm: Farm, pair: Twins) -> None:
    finish(farm, pair.twin, metrics={"frames": 5, "crf": 21.0}, findings=Findings(artifacts=(MADE,)))
    assert pair.statuses == (JobStatus.COMPLETED, JobStatus.COMPLETED, JobStatus.PENDING)
    first = pair.job(pair.first)
    assert (first.metrics, first.findings.artifacts) == ({"frames": 5, "crf": 21.0}, (MADE,))
    assert (first.error, [each.outcome for each in first.attempts]) == (None, [Outcome.CANCELED])
    assert first.attempts[0].error is not None
    assert first.attempts[0].error.message == f"its twin, job {pair.twin.job.id}, was completed first"
    assert pair.holds_nothing(pair.slow)
    with pytest.raises(Problem, match="does not hold the current lease"):
        finish(farm, pair.first)
    joining = must_claim(farm, pair.idle)
    assert [each.id for each in joining.parts] == [each.id for each in parts(farm, pair.parent_id)[:2]]
    assert MADE in [each for part in joining.parts for each in part.findings.artifacts]


def test_the_result_of_the_file_has_each_chunk_once_and_says_what_is_in_no_sum(
    farm: Farm, pair: Twins
) -> None:
    finish(farm, pair.twin, metrics={"frames": 1, "cpu_seconds": 7.0})
    finish(farm, must_claim(farm, pair.idle), metrics={"frames": 3000, "cpu_seconds": 1.0})
    metrics, findings = pair.parent.metrics or {}, pair.parent.findings
    assert (metrics["chunks"], metrics["cpu_seconds"]) == (2, 18.0)
    assert findings.warnings == (
        "1 part was run twice; what the attempts used that were given up for it is in no sum",
    )


def test_the_twin_has_the_result_and_not_what_it_completed(farm: Farm, pair: Twins) -> None:
    finish(farm, pair.twin)
    listed, _ = jobs.results_page(farm, OPERATOR, None, 10)
    assert pair.twin.job.id in {each.id for each in listed}
    assert pair.first.job.id not in {each.id for each in listed}
    assert result_document(pair.job(pair.first))["node_id"] is None


def test_while_its_twin_runs_a_chunk_does_not_fail_for_good(farm: Farm, pair: Twins) -> None:
    pair.fails(pair.first)
    assert pair.statuses == (JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PENDING)
    waits = job(farm, pair.first.job.id)
    assert waits.pending_reason == f"waits for its twin, job {pair.twin.job.id}"
    assert claim(farm, pair.idle) is None
    finish(farm, pair.twin)
    assert pair.statuses == (JobStatus.COMPLETED, JobStatus.COMPLETED, JobStatus.PENDING)
    assert must_claim(farm, pair.idle).job.stage is Stage.JOIN


def test_when_both_failed_for_good_the_file_fails_with_the_chunks_reason(farm: Farm, pair: Twins) -> None:
    pair.fails(pair.first)
    pair.fails(pair.twin, Failure("disk_full", "no space"))
    assert pair.statuses == (JobStatus.FAILED,) * 3
    assert pair.job(pair.first).error == BROKEN
    assert pair.parent.error == Failure("encoder_error", f"part {pair.first.job.part}: no such option")


def test_the_failure_of_a_twin_is_none_of_the_files(farm: Farm, pair: Twins) -> None:
    pair.fails(pair.twin)
    assert pair.statuses == (JobStatus.RUNNING, JobStatus.FAILED, JobStatus.PENDING)
    finish(farm, pair.first)
    assert must_claim(farm, pair.idle).job.stage is Stage.JOIN


def test_a_twin_that_is_given_back_ends(farm: Farm, pair: Twins) -> None:
    lease = pair.twin.job.lease
    assert lease is not None
    work.release(farm, OPERATOR, pair.twin.job.id, pair.fast, lease.lease_id)
    assert pair.statuses == (JobStatus.RUNNING, JobStatus.CANCELED, JobStatus.PENDING)


def test_a_twin_that_is_given_back_is_for_another_node_if_its_chunk_has_failed(
    farm: Farm, pair: Twins
) -> None:
    lease = pair.twin.job.lease
    assert lease is not None
    pair.fails(pair.first)
    work.release(farm, OPERATOR, pair.twin.job.id, pair.fast, lease.lease_id)
    assert pair.statuses == (JobStatus.PENDING, JobStatus.PENDING, JobStatus.PENDING)
    again = must_claim(farm, pair.idle)
    assert again.job.id == pair.twin.job.id
    finish(farm, again)
    assert pair.statuses == (JobStatus.COMPLETED, JobStatus.COMPLETED, JobStatus.PENDING)
    assert must_claim(farm, pair.idle).job.stage is Stage.JOIN


def test_a_chunk_that_is_given_back_is_left_to_its_twin_while_that_runs(farm: Farm, pair: Twins) -> None:
    lease = pair.first.job.lease
    assert lease is not None
    work.release(farm, OPERATOR, pair.first.job.id, pair.slow, lease.lease_id)
    assert pair.statuses == (JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PENDING)
    assert claim(farm, pair.idle) is None
    pair.fails(pair.twin)
    assert must_claim(farm, pair.idle).job.id == pair.first.job.id


def test_a_chunk_that_waits_is_run_again_if_its_twin_is_slow(farm: Farm, pair: Twins) -> None:
    lease = pair.first.job.lease
    assert lease is not None
    work.release(farm, OPERATOR, pair.first.job.id, pair.slow, lease.lease_id)
    assert claim(farm, pair.idle) is None
    waits = job(farm, pair.first.job.id)
    assert waits.pending_reason == f"waits for its twin, job {pair.twin.job.id}"
    tell(farm, pair.twin, 500.0)
    assert must_claim(farm, pair.idle).job.id == pair.first.job.id
    assert pair.statuses == (JobStatus.RUNNING, JobStatus.RUNNING, JobStatus.PENDING)


def test_a_chunk_that_waits_is_completed_by_its_twin_too(farm: Farm, pair: Twins) -> None:
    lease = pair.first.job.lease
    assert lease is not None
    work.release(farm, OPERATOR, pair.first.job.id, pair.slow, lease.lease_id)
    finish(farm, pair.twin)
    assert pair.statuses == (JobStatus.COMPLETED, JobStatus.COMPLETED, JobStatus.PENDING)
    assert must_claim(farm, pair.idle).job.stage is Stage.JOIN


def test_what_hangs_gets_a_twin_without_waiting_for_its_lease(farm: Farm, clock: FakeClock) -> None:
    fast, slow = node(farm), node(farm)
    split(farm, {"split": 2, "crf": 23})
    plan(farm, fast, divisible(others=False))
    quick, hangs = must_claim(farm, fast), must_claim(farm, slow)
    clock.advance(10)
    finish(farm, quick)
    tell(farm, hangs, 5.0)
    clock.advance(44)
    assert claim(farm, fast) is None
    clock.advance(2)
    assert must_claim(farm, fast).job.twin_of == hangs.job.id


def test_what_is_late_by_more_than_it_should_have_taken_gets_a_twin(farm: Farm, clock: FakeClock) -> None:
    fast, slow = node(farm), node(farm)
    split(farm, {"split": 2, "crf": 23})
    plan(farm, fast, divisible(others=False))
    quick, late = must_claim(farm, fast), must_claim(farm, slow)
    clock.advance(10)
    finish(farm, quick)
    clock.advance(10)
    assert claim(farm, fast) is None
    clock.advance(10)
    assert must_claim(farm, fast).job.twin_of == late.job.id


def test_canceling_the_file_ends_both(farm: Farm, pair: Twins) -> None:
    jobs.change(farm, OPERATOR, pair.parent_id, commands.Cancel())
    assert pair.statuses == (JobStatus.CANCELED,) * 3
    assert pair.holds_nothing(pair.fast)


def test_a_chunk_that_waited_for_its_twin_waits_for_nothing_once_it_is_canceled(
    farm: Farm, pair: Twins
) -> None:
    pair.fails(pair.first)
    assert pair.job(pair.first).awaits_twin
    jobs.change(farm, OPERATOR, pair.parent_id, commands.Cancel())
    assert pair.statuses == (JobStatus.CANCELED,) * 3
    assert not pair.job(pair.first).awaits_twin


def test_canceling_a_twin_ends_that_alone(farm: Farm, pair: Twins) -> None:
    jobs.change(farm, OPERATOR, pair.twin.job.id, commands.Cancel())
    assert pair.statuses == (JobStatus.RUNNING, JobStatus.CANCELED, JobStatus.PENDING)


def test_a_paused_file_is_completed_by_what_runs_and_joined_later(farm: Farm, pair: Twins) -> None:
    jobs.change(farm, OPERATOR, pair.parent_id, commands.PauseJob())
    finish(farm, pair.twin)
    assert pair.statuses == (JobStatus.COMPLETED, JobStatus.COMPLETED, JobStatus.PAUSED)
    assert claim(farm, pair.idle) is None
    jobs.change(farm, OPERATOR, pair.parent_id, commands.ResumeJob())
    assert must_claim(farm, pair.idle).job.stage is Stage.JOIN


@pytest.mark.parametrize("hindrance", ["paused queue", "paused file", "busy", "draining"])
def test_a_node_that_gets_no_jobs_gets_no_twin(farm: Farm, clock: FakeClock, hindrance: str) -> None:
    fast, slow = node(farm), node(farm)
    parent_id = split(farm, {"split": 2, "crf": 23})
    plan(farm, fast, divisible(others=False))
    quick, first = must_claim(farm, fast), must_claim(farm, slow)
    clock.advance(10)
    tell(farm, first, 60.0)
    if hindrance != "busy":
        finish(farm, quick)
    if hindrance == "paused queue":
        queue.change(farm, OPERATOR, commands.PauseQueue())
    elif hindrance == "paused file":
        jobs.change(farm, OPERATOR, parent_id, commands.PauseJob())
    elif hindrance == "draining":
        nodes.change(farm, OPERATOR, fast, commands.Drain())
    assert claim(farm, fast) is None


def test_chunks_begin_when_the_twin_of_a_look_is_completed(farm: Farm, clock: FakeClock) -> None:
    fast, slow = node(farm), node(farm)
    split(farm, {"split": 2, "bitrate": "1M"})
    plan(farm, fast, divisible(others=False))
    quick, first = must_claim(farm, fast), must_claim(farm, slow)
    clock.advance(10)
    finish(farm, quick)
    tell(farm, first, 60.0)
    twin = must_claim(farm, fast)
    assert (twin.job.stage, twin.job.twin_of) == (Stage.LOOK, first.job.id)
    finish(farm, twin, findings=Findings(artifacts=(MADE,)))
    chunk = must_claim(farm, fast)
    assert chunk.job.stage is Stage.CHUNK
    assert {each.id for each in chunk.parts} == {quick.job.id, first.job.id}
    assert MADE in [each for part in chunk.parts for each in part.findings.artifacts]


def test_the_file_is_as_far_as_the_one_of_both_that_is_further(farm: Farm, pair: Twins) -> None:
    seen = job(farm, pair.parent_id)
    assert seen.pending_reason == "waits for its parts: 1 of 2 chunks completed"
    before = seen.progress
    tell(farm, pair.first, 60.0)
    tell(farm, pair.twin, 5.0)
    finish(farm, pair.twin)
    after = job(farm, pair.parent_id).progress
    assert before is not None
    assert before.percent is not None
    assert 70 < before.percent < 75
    assert after is None or after.percent == 100


def test_a_killed_master_knows_twins_again(farm: Farm, pair: Twins, tmp_path: Path, clock: FakeClock) -> None:
    crash(farm.store)
    again = make_farm(tmp_path, clock)
    again.begin()
    finish(again, pair.twin)
    found = {each.id: each.status for each in parts(again, pair.parent_id)}
    assert set(found.values()) == {JobStatus.COMPLETED}
    assert len(found) == 3


def test_the_same_report_of_a_twin_again_changes_nothing(farm: Farm, pair: Twins) -> None:
    said = report(pair.twin)
    work.finish(farm, OPERATOR, said, [])
    before = pair.job(pair.first)
    work.finish(farm, OPERATOR, said, [])
    assert pair.job(pair.first) == before
