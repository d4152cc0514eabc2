"""A batch is queued whole or not at all, in its order, and once for each Idempotency-Key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from common.problems import Problem
from common.schema import MAX_BATCH, BatchSchema
from master.service import Farm, jobs
from master.store.segments import read_segment, segments
from master.submission import Key
from tests.core.support import OPERATOR, FakeClock, all_jobs, crash, make_farm, must_claim, register


def batch(*jobs: dict[str, Any]) -> Any:
    return BatchSchema().load({"jobs": [{"scenario": "720p-h264", **job} for job in jobs]})["jobs"]


def test_the_jobs_are_queued_in_their_order(farm: Farm) -> None:
    queued = [view.job.id for view in jobs.submit_batch(farm, OPERATOR, batch({}, {}, {}))]
    node_id = register(farm, max_concurrent_jobs=3)
    assert [must_claim(farm, node_id).job.id for _ in queued] == queued


def test_one_job_that_cannot_run_refuses_all_and_is_named(farm: Farm) -> None:
    with pytest.raises(Problem, match=r"jobs\.1: parameters\.crf: .*Nothing of this batch was queued"):
        jobs.submit_batch(farm, OPERATOR, batch({}, {"parameters": {"crf": 60}}, {}))
    with pytest.raises(Problem, match=r"jobs\.2: There is no scenario 'x'") as refused:
        jobs.submit_batch(farm, OPERATOR, batch({}, {}, {"scenario": "x"}))
    assert refused.value.extra["index"] == 2
    assert all_jobs(farm) == {}


def test_the_same_batch_again_answers_the_same_jobs(farm: Farm) -> None:
    key = Key("night-1", "body")
    first = [view.job.id for view in jobs.submit_batch(farm, OPERATOR, batch({}, {}), key)]
    assert [view.job.id for view in jobs.submit_batch(farm, OPERATOR, batch({}, {}), key)] == first
    with pytest.raises(Problem, match="belongs to another request"):
        jobs.submit_batch(farm, OPERATOR, batch({}), Key("night-1", "another body"))
    assert len(all_jobs(farm)) == 2


def test_a_batch_is_in_one_record_of_the_journal(tmp_path: Path, farm: Farm) -> None:
    queued = {view.job.id for view in jobs.submit_batch(farm, OPERATOR, batch(*[{}] * 50))}
    records = read_segment(segments(tmp_path / "journal")[0], last=True).records
    assert sum(b"JobSubmitted" in record.payload for record in records) == 1
    crash(farm.store)
    assert set(all_jobs(make_farm(tmp_path, FakeClock()))) == queued


def test_the_largest_batch_is_taken(farm: Farm) -> None:
    assert len(jobs.submit_batch(farm, OPERATOR, batch(*[{}] * MAX_BATCH))) == MAX_BATCH
