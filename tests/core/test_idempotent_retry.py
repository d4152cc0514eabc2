"""A retry with an Idempotency-Key can be repeated: it makes one job."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.problems import Problem
from master.lifecycle import commands
from master.service import jobs
from master.submission import Key
from tests.core.support import OPERATOR, FakeClock, make_farm, submit


def test_the_same_retry_again_answers_the_same_job(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock())
    job_id = submit(farm)
    jobs.change(farm, OPERATOR, job_id, commands.Cancel())
    first = jobs.retry(farm, OPERATOR, job_id, Key("k", "retry one"))
    assert jobs.retry(farm, OPERATOR, job_id, Key("k", "retry one")).job.id == first.job.id
    with pytest.raises(Problem, match="belongs to another request"):
        jobs.retry(farm, OPERATOR, job_id, Key("k", "retry another"))
    assert jobs.retry(farm, OPERATOR, job_id).job.id != first.job.id
