"""A submit with an Idempotency-Key can be repeated: it makes one job."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.problems import Problem
from common.schema import SubmitSchema
from master.service import Farm, jobs
from master.submission import Key
from tests.core.support import OPERATOR, FakeClock, make_farm

FIELDS = SubmitSchema().load({"scenario": "720p-h264"})


def test_the_same_request_again_answers_the_first_job(farm: Farm) -> None:
    first = jobs.submit(farm, OPERATOR, FIELDS, Key("order-1", "body"))
    assert jobs.submit(farm, OPERATOR, FIELDS, Key("order-1", "body")).job.id == first.job.id
    assert jobs.submit(farm, OPERATOR, FIELDS, Key("order-2", "body")).job.id != first.job.id
    assert jobs.submit(farm, OPERATOR, FIELDS).job.id != jobs.submit(farm, OPERATOR, FIELDS).job.id


def test_another_request_with_the_same_key_is_refused(farm: Farm) -> None:
    jobs.submit(farm, OPERATOR, FIELDS, Key("order-1", "body"))
    with pytest.raises(Problem, match="belongs to another request"):
        jobs.submit(farm, OPERATOR, FIELDS, Key("order-1", "another body"))
    assert len(jobs.page(farm, OPERATOR, None, None, 10)[0]) == 1


def test_keys_outlast_a_restart(farm: Farm, tmp_path: Path) -> None:
    first = jobs.submit(farm, OPERATOR, FIELDS, Key("order-1", "body"))
    farm.store.close()
    again = jobs.submit(make_farm(tmp_path, FakeClock()), OPERATOR, FIELDS, Key("order-1", "body"))
    assert again.job.id == first.job.id
