"""How a job comes to its next attempt, and when it has had enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.failures import KINDS
from common.model import Failure, JobStatus, Outcome
from common.problems import Problem
from master.service import Farm, work
from tests.core.support import (
    OPERATOR,
    FakeClock,
    claim,
    finish,
    job,
    make_farm,
    must_claim,
    register,
    report,
    submit,
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def farm(tmp_path: Path, clock: FakeClock) -> Farm:
    return make_farm(tmp_path, clock, lease=60, heartbeat_timeout=90, max_attempts=3, retry_backoff=5)


def test_an_expired_lease_sends_the_job_back_until_its_attempts_are_used_up(
    farm: Farm, clock: FakeClock
) -> None:
    job_id = submit(farm)
    for number in (1, 2, 3):
        clock.advance(5 * 2 ** (number - 1))
        work.reap(farm)
        node_id = register(farm)
        view = must_claim(farm, node_id)
        assert view.job.lease is not None
        assert view.job.lease.number == number
        clock.advance(61)
        work.reap(farm)
    final = job(farm, job_id).job
    assert final.status is JobStatus.FAILED
    assert final.retry_count == 2
    assert final.error is not None
    assert final.error.code == "quarantined"


@pytest.mark.parametrize("code", [kind.code for kind in KINDS.values() if not kind.retry])
def test_a_terminal_failure_is_not_tried_again(farm: Farm, code: str) -> None:
    job_id = submit(farm)
    finish(farm, must_claim(farm, register(farm)), JobStatus.FAILED, error=Failure(code, "no"))
    assert job(farm, job_id).job.status is JobStatus.FAILED


@pytest.mark.parametrize("code", [kind.code for kind in KINDS.values() if kind.retry])
def test_a_passing_failure_is_tried_again_after_a_backoff_that_doubles(
    farm: Farm, clock: FakeClock, code: str
) -> None:
    job_id = submit(farm)
    node_id = register(farm)
    for delay in (5, 10):
        finish(farm, must_claim(farm, node_id), JobStatus.FAILED, error=Failure(code, f"after {delay}"))
        assert job(farm, job_id).pending_reason == f"waits {delay}s before the next attempt"
        for seconds, claimable in ((delay - 1, False), (1, True)):
            clock.advance(seconds)
            work.reap(farm)
            assert (job(farm, job_id).pending_reason == "waits for a free slot") is claimable
    finish(farm, must_claim(farm, node_id), JobStatus.FAILED, error=Failure(code, "again"))
    assert job(farm, job_id).job.status is JobStatus.FAILED


def test_handing_back_uses_up_no_attempt_and_no_number_is_given_twice(farm: Farm) -> None:
    job_id = submit(farm)
    node_id = register(farm)
    numbers = []
    for _ in range(30):
        view = must_claim(farm, node_id)
        assert view.job.lease is not None
        numbers.append(view.job.lease.number)
        work.release(farm, OPERATOR, job_id, node_id, view.job.lease.lease_id)
    assert numbers == list(range(1, 31))
    kept = job(farm, job_id).job
    assert kept.status is JobStatus.PENDING
    assert kept.attempts_used == 0
    assert len(kept.attempts) == 10


def test_a_stale_result_is_refused_and_the_other_attempt_stands(farm: Farm, clock: FakeClock) -> None:
    job_id = submit(farm)
    late = must_claim(farm, register(farm, "slow"))
    for seconds in (61, 5):
        clock.advance(seconds)
        work.reap(farm)
    current = must_claim(farm, register(farm, "fast"))
    with pytest.raises(Problem) as refused:
        finish(farm, late)
    assert refused.value.type.slug == "stale_lease"
    assert job(farm, job_id).job == current.job
    finish(farm, current)
    assert job(farm, job_id).job.status is JobStatus.COMPLETED


def test_the_same_result_again_changes_nothing_and_another_one_is_refused(farm: Farm) -> None:
    job_id = submit(farm)
    view = must_claim(farm, register(farm))
    finish(farm, view)
    done = job(farm, job_id)
    finish(farm, view)
    assert job(farm, job_id) == done
    with pytest.raises(Problem) as refused:
        finish(farm, view, digest="another")
    assert refused.value.type.slug == "result_mismatch"
    assert job(farm, job_id) == done


def test_a_failed_report_may_be_repeated_after_the_job_went_back(farm: Farm) -> None:
    submit(farm)
    view = must_claim(farm, register(farm))
    failed = report(view, JobStatus.FAILED, error=Failure("disk_full", "no space"))
    work.finish(farm, OPERATOR, failed, [])
    work.finish(farm, OPERATOR, failed, [])
    assert [a.outcome for a in job(farm, view.job.id).job.attempts] == [Outcome.FAILED]


def test_a_plain_report_is_taken_from_the_node_that_holds_the_job(farm: Farm) -> None:
    job_id = submit(farm)
    node_id = register(farm)
    view = must_claim(farm, node_id)
    finish(farm, view, lease_id=None, attempt=None)
    assert job(farm, job_id).job.status is JobStatus.COMPLETED


def test_a_restarted_agent_does_not_keep_the_jobs_of_the_one_before(farm: Farm) -> None:
    job_id = submit(farm)
    node_id = register(farm, instance="first")
    must_claim(farm, node_id)
    register(farm, id=node_id, instance="first")
    assert job(farm, job_id).job.status is JobStatus.RUNNING
    register(farm, id=node_id, instance="second")
    back = job(farm, job_id).job
    assert back.status is JobStatus.PENDING
    assert back.error is not None
    assert back.error.code == "agent_restarted"


def test_a_lease_that_the_agent_never_heard_of_is_given_again_first(farm: Farm) -> None:
    submit(farm)
    node_id = register(farm, max_concurrent_jobs=2)
    first = must_claim(farm, node_id)
    submit(farm)
    again = claim(farm, node_id, known=[])
    assert again is not None
    assert again.job == first.job
    assert first.job.lease is not None
    other = claim(farm, node_id, known=[first.job.lease.lease_id])
    assert other is not None
    assert other.job.id != first.job.id
