"""A full disk refuses writes and loses nothing; when space returns, writing goes on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from common.problems import Problem
from tests.core.support import FakeClock, crash, embedded, job, make_farm, submit
from tests.store.support import records_in


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
    assert set(embedded(farm)._state.jobs) == set(acknowledged)
    ballast.unlink()
    acknowledged.append(submit(farm))
    farm.store.close()
    restored = make_farm(small_disk, FakeClock())
    restored.store.close()
    assert set(embedded(restored)._state.jobs) == set(acknowledged)


def half_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the disk takes only the first half of each record, as one that is filling up may."""
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: real(fd, data[: len(data) // 2], at))


def test_a_half_written_record_never_merges_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = make_farm(tmp_path, FakeClock())
    acknowledged = {submit(farm)}
    with monkeypatch.context() as patched:
        half_written(patched)
        with pytest.raises(Problem, match="no room for the journal"):
            submit(farm)
        assert job(farm, *acknowledged).job.id in acknowledged
    acknowledged |= {submit(farm), submit(farm)}
    crash(farm.store)
    assert records_in(tmp_path).keys() == acknowledged


def test_half_a_record_that_cannot_be_taken_back_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = make_farm(tmp_path, FakeClock())
    acknowledged = {submit(farm)}
    monkeypatch.setattr(os, "ftruncate", lambda *_: os.close(-1))  # EBADF
    half_written(monkeypatch)
    with pytest.raises(Problem):
        submit(farm)
    monkeypatch.undo()
    for attempt in (lambda: submit(farm), lambda: job(farm, *acknowledged)):
        with pytest.raises(Problem, match="cannot undo a failed write"):
            attempt()
    crash(farm.store)
    assert records_in(tmp_path).keys() == acknowledged
