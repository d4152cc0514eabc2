"""A full disk refuses writes and loses nothing; when space returns, writing goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from common.problems import Problem
from tests.core.support import FakeClock, job, make_farm, submit


def test_a_full_disk_answers_503_and_recovers(make_disk: Callable[[str], Path]) -> None:
    small_disk = make_disk("1m")
    farm = make_farm(small_disk, FakeClock())
    ballast = small_disk / "ballast"
    acknowledged = [submit(farm)]
    ballast.write_bytes(b"x" * 700_000)
    with pytest.raises(Problem, match=r"cannot keep this.*No space left") as refused:
        acknowledged.extend(iter(lambda: submit(farm), None))
    assert refused.value.type.status == 503
    assert job(farm, acknowledged[0]).job.id == acknowledged[0]  # reads go on
    with pytest.raises(Problem):
        submit(farm)
    assert set(farm.store._state.jobs) == set(acknowledged)
    ballast.unlink()
    acknowledged.append(submit(farm))
    farm.store.close()
    restored = make_farm(small_disk, FakeClock())
    restored.store.close()
    assert set(restored.store._state.jobs) == set(acknowledged)
