"""Archived jobs leave no trace in memory, snapshot and journal: a start reads nothing of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.start_time import jobs_pass
from master.api.documents import archive_entry
from master.service import Farm
from master.service.retention import Retention
from master.store import snapshot
from tests.core.support import FakeClock, embedded, make_farm, submit

DAY = 86400.0


def pass_and_archive(farm: Farm, clock: FakeClock, count: int, span: float) -> set[str]:
    """Let `count` jobs come and go; the ids of those that were the last to be archived."""
    for _ in jobs_pass(farm, clock, count, span):
        pass
    last = {job.id for job in embedded(farm)._state.jobs.values() if job.status.final}
    Retention(farm, archive_entry).round(clock().wall, clock())
    return last


def folded_bytes(root: Path, count: int, span: float) -> int:
    """What is on disk for the next start, after `count` jobs have come and gone, and one is waiting."""
    clock = FakeClock()
    farm = make_farm(root, clock, retention=30 * DAY)
    waiting = submit(farm)
    ids = pass_and_archive(farm, clock, count, span)
    assert ids
    farm.store.close()
    snapshot.fold(root / "journal", embedded(farm)._journal.number)
    kept = b"".join(path.read_bytes() for path in (root / "journal").iterdir())
    assert waiting.encode() in kept
    assert not [job_id for job_id in ids if job_id.encode() in kept]
    return len(kept)


def test_what_the_next_start_reads_is_the_same_after_few_jobs_and_after_many(tmp_path: Path) -> None:
    few = folded_bytes(tmp_path / "few", 100, 10 * DAY)
    many = folded_bytes(tmp_path / "many", 3000, 365 * DAY)
    assert abs(many - few) < 10, "more than a few digits of counters"


def containers(thing: object, seen: set[int]) -> dict[str, int]:
    """How many entries each container has that is reachable through our objects."""
    found = {}
    for name, value in vars(thing).items():
        if hasattr(value, "__len__") and not isinstance(value, str):
            found[f"{type(thing).__name__}.{name}"] = len(value)
        elif hasattr(value, "__dict__") and id(value) not in seen:
            seen.add(id(value))
            found |= containers(value, seen)
    return found


@pytest.fixture
def farm(tmp_path: Path) -> Farm:
    return make_farm(tmp_path, FakeClock(), retention=30 * DAY)


def test_the_memory_is_as_it_was_before_they_came(farm: Farm) -> None:
    clock = FakeClock()
    before = containers(farm.store, set())
    assert "State.jobs" in before
    assert len(pass_and_archive(farm, clock, 1000, DAY)) == 1000
    after = containers(farm.store, set())
    # The newest attempts of each node stay, a bounded number: they are its history.
    assert after["Recent._ended"] == 1
    after["Recent._ended"] = before["Recent._ended"]
    assert after == before
