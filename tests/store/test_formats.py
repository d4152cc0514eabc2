"""A newer program migrates what an older one wrote; an older one refuses what a newer one wrote.

`data/format-1` is what version 0.1.0 wrote before there were stamps (commit 281becd): a
snapshot, a closed segment and an open one; `records.jsonl` are the records that they lead to.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from common.model import Job
from common.version import VERSION
from master.store import codec, formats, snapshot
from master.store.journal import JournalError
from master.store.memory import MemoryStore
from master.store.segments import examine, segments
from tests.core.support import FakeClock, crash_all, embedded, make_farm, must_claim, register, submit
from tests.store.support import records_in

FORMAT_1 = Path(__file__).with_name("data") / "format-1"


@pytest.fixture
def format_1(tmp_path: Path) -> Path:
    shutil.copytree(FORMAT_1 / "journal", tmp_path / "journal")
    return tmp_path


def recorded() -> dict[str, object]:
    lines = (FORMAT_1 / "records.jsonl").read_bytes().splitlines()
    return {record.id: record for record in (codec.decode_record(line, 1) for line in lines)}


def add_a_format(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on this is the next program: it calls every scenario by another name."""

    def renamed(document: formats.Document) -> formats.Document:
        job = document.get("job", document)
        changed = {**job, "scenario": f"new-{job['scenario']}"} if "scenario" in job else job
        return {**document, "job": changed} if "job" in document else changed

    following: Mapping[int, Any] = {**formats.MIGRATIONS, formats.FORMAT: renamed}
    monkeypatch.setattr(formats, "MIGRATIONS", following)
    monkeypatch.setattr(formats, "FORMAT", formats.FORMAT + 1)


def scenarios(root: Path) -> list[str]:
    return [record.scenario for record in records_in(root).values() if isinstance(record, Job)]


def formats_of(root: Path) -> list[int | None]:
    return [examine(path, last=True).format for path in segments(root / "journal")]


def test_a_state_of_format_1_is_read(format_1: Path) -> None:
    assert formats_of(format_1) == [1, 1]
    assert records_in(format_1) == recorded()


def test_a_state_of_format_1_is_continued_in_the_current_format(format_1: Path) -> None:
    farm = make_farm(format_1, FakeClock())
    job_id = submit(farm, priority="high")
    assert must_claim(farm, register(farm, "worker-03")).job.id in {job_id, *recorded()}
    after = {**embedded(farm)._state.jobs, **embedded(farm)._state.nodes}
    farm.store.close()
    assert formats_of(format_1) == [1, 1, formats.FORMAT]
    assert records_in(format_1) == after
    snapshot.fold(format_1 / "journal", 5)
    assert formats_of(format_1) == [formats.FORMAT]
    assert records_in(format_1) == after


def test_format_1_did_not_count_its_events_but_no_attempt_is_numbered_above_them(format_1: Path) -> None:
    store = MemoryStore(format_1 / "journal", FakeClock()())
    assert store.history >= max(job.attempt.number for job in store._state.jobs.values() if job.attempt)


def test_each_older_format_goes_through_every_migration_since(
    format_1: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = make_farm(format_1, FakeClock())
    submit(farm, "480p-h264")
    crash_all()
    before = scenarios(format_1)
    add_a_format(monkeypatch)
    assert scenarios(format_1) == [f"new-{name}" for name in before]


def test_what_was_migrated_once_is_not_migrated_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = make_farm(tmp_path, FakeClock())
    submit(farm, "480p-h264")
    farm.store.close()
    add_a_format(monkeypatch)
    farm = make_farm(tmp_path, FakeClock())
    submit(farm, "720p-h264")
    farm.store.close()
    expected = ["new-480p-h264", "720p-h264"]
    assert scenarios(tmp_path) == expected
    snapshot.fold(tmp_path / "journal", 3)
    assert scenarios(tmp_path) == expected


@pytest.mark.parametrize("folded", [False, True], ids=["segment", "snapshot"])
def test_a_newer_format_is_refused_in_one_line_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folded: bool
) -> None:
    ours = formats.FORMAT
    with monkeypatch.context() as newer:
        add_a_format(newer)
        newer.setattr(formats, "VERSION", "9.9.9")
        farm = make_farm(tmp_path, FakeClock())
        submit(farm)
        farm.store.close()
        if folded:
            snapshot.fold(tmp_path / "journal", 1)
    with pytest.raises(JournalError) as refused:
        records_in(tmp_path)
    file = tmp_path / "journal" / ("snapshot" if folded else "000000000001.journal")
    assert str(refused.value) == (
        f"{file} has format {ours + 1}, written by version 9.9.9; this is version {VERSION} and "
        f"reads formats up to {ours}; start the newer version again, or restore a backup made before the "
        "upgrade"
    )


def test_a_crash_while_a_segment_is_created_is_no_damage(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock())
    submit(farm)
    farm.store.close()
    before = records_in(tmp_path)
    youngest = segments(tmp_path / "journal")[-1]
    stamp = youngest.read_bytes().rstrip(b"\0")
    for cut in range(len(stamp)):
        youngest.write_bytes(stamp[:cut] + b"\0" * 100)
        assert records_in(tmp_path) == before  # it leaves one behind, and begins another
        assert records_in(tmp_path) == before
        for begun in segments(tmp_path / "journal")[2:]:
            begun.unlink()
