"""A damaged journal is repaired: all that what is lost was not about is as it was, and the master starts."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from common.history import LOST_AT_MOST
from common.model import Failure, Job, JobStatus, Node, Token
from common.schema import TokenSchema
from master.lifecycle import commands
from master.lifecycle.events import RecordKey
from master.service import nodes, tokens
from master.service.farm import Farm
from master.store import snapshot
from master.store.interface import Store
from master.store.journal import JournalError
from master.store.memory import MemoryStore
from master.store.repair import repair
from master.store.salvage import Salvage, salvage
from master.store.segments import examine, segments
from tests.core.support import (
    OPERATOR,
    FakeClock,
    crash,
    embedded,
    finish,
    job,
    make_farm,
    must_claim,
    register,
    submit,
)
from tests.store.test_damage import flip

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def busy_day(root: Path) -> Farm:
    """Two segments with a bit of everything; the last ends as a kill leaves it, but marked."""
    clock = FakeClock()
    farm = make_farm(root, clock, max_attempts=3)
    workers = [register(farm, f"worker-{n}") for n in range(2)]
    for worker in workers:
        submit(farm)
        finish(farm, must_claim(farm, worker))
    submit(farm, priority="high")
    finish(farm, must_claim(farm, workers[0]), JobStatus.FAILED, error=Failure("disk_full", "no room"))
    farm.store.close()
    farm = make_farm(root, clock, max_attempts=3)
    submit(farm)
    submit(farm)
    must_claim(farm, workers[0])
    finish(farm, must_claim(farm, workers[1]))
    nodes.change(farm, OPERATOR, workers[1], commands.Drain())
    submit(farm)
    farm.store.tidy(clock())
    crash(farm.store)
    return farm


def records_of(store: Store) -> dict[RecordKey, object]:
    """The jobs and nodes."""
    assert isinstance(store, MemoryStore)
    jobs, nodes = store._state.jobs, store._state.nodes
    return {(Job, i): jobs[i] for i in jobs} | {(Node, i): nodes[i] for i in nodes}


def repaired(root: Path) -> tuple[Salvage, Farm]:
    """What was found, and a master that starts from what was written."""
    found = salvage(root / "journal")
    repair(root / "journal", found, AT)
    farm = make_farm(root, FakeClock())
    return found, farm


def every_record(root: Path) -> list[tuple[str, int]]:
    """Where each record of the journal begins."""
    paths = segments(root / "journal")
    return [(p.name, r.offset) for p in paths for r in examine(p, last=p == paths[-1]).records]


def test_whatever_record_is_damaged_what_it_was_not_about_is_as_it_was(tmp_path: Path) -> None:
    before = records_of(busy_day(tmp_path / "sound").store)
    places = every_record(tmp_path / "sound")
    assert len(places) > 10
    for number, (name, offset) in enumerate(places):
        root = tmp_path / str(number)
        shutil.copytree(tmp_path / "sound", root)
        flip(root / "journal" / name, offset + 3)
        with pytest.raises(JournalError, match=f"offset {offset} of"):
            make_farm(root, FakeClock())
        found, farm = repaired(root)
        assert (found.before, found.behind) == (number, len(places) - number - 1)
        after = records_of(farm.store)
        untouched = before.keys() - found.touched
        assert {key: after[key] for key in untouched} == {key: before[key] for key in untouched}
        assert after.keys() <= before.keys()
        assert found.touched
        assert submit(farm) in embedded(farm)._state.jobs
        crash(farm.store)


def test_a_token_of_which_something_is_lost_is_named_and_the_others_are_as_they_were(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock())
    first, second = (tokens.create(farm, OPERATOR, TokenSchema().load({}))[0] for _ in range(2))
    tokens.revoke(farm, OPERATOR, first.id)
    farm.store.tidy(farm.clock())
    crash(farm.store)
    name, offset = every_record(tmp_path)[-1]
    flip(tmp_path / "journal" / name, offset + 3)
    found, farm = repaired(tmp_path)
    assert found.touched == {(Token, first.id)}
    assert tokens.all_tokens(farm) == [first, second]


def test_a_job_whose_completion_is_lost_runs_again_under_a_number_never_used(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock())
    node_id, job_id = register(farm), submit(farm)
    finish(farm, must_claim(farm, node_id))
    farm.store.tidy(farm.clock())
    crash(farm.store)
    name, offset = every_record(tmp_path)[-1]
    flip(tmp_path / "journal" / name, offset + 3)
    found, farm = repaired(tmp_path)
    assert found.touched >= {(Job, job_id)}
    assert job(farm, job_id).job.status is JobStatus.RUNNING
    assert embedded(farm)._state.farm.attempts_above > LOST_AT_MOST
    assert farm.store.history > LOST_AT_MOST


def test_a_result_is_believed_only_for_the_attempt_that_it_ends(tmp_path: Path) -> None:
    """Lost is how attempt 1 ended, and sound is that the same node completed attempt 2."""
    farm = make_farm(tmp_path, FakeClock(), retry_backoff=0.001)
    node_id, job_id = register(farm), submit(farm)
    finish(farm, must_claim(farm, node_id), JobStatus.FAILED, error=Failure("disk_full", "no room"))
    farm.clock.advance(1)  # type: ignore[attr-defined]  # it is a FakeClock
    with farm.store.transaction(farm.clock()) as tx:
        tx.released()
    finish(farm, must_claim(farm, node_id))
    farm.store.tidy(farm.clock())
    crash(farm.store)
    name, offset = every_record(tmp_path)[3]
    flip(tmp_path / "journal" / name, offset + 3)
    found, farm = repaired(tmp_path)
    assert (found.behind, found.kept) == (2, 0)
    assert job(farm, job_id).job.status is JobStatus.RUNNING


def test_without_a_segment_the_others_are_saved(tmp_path: Path) -> None:
    busy_day(tmp_path)
    farm = make_farm(tmp_path, FakeClock())
    late = submit(farm)
    farm.store.close()
    segments(tmp_path / "journal")[1].unlink()
    found, farm = repaired(tmp_path)
    assert [file.name for file in found.files if file.missing] == ["000000000002.journal"]
    assert late in embedded(farm)._state.jobs


def fold_all(root: Path) -> None:
    directory = root / "journal"
    make_farm(root, FakeClock()).store.close()
    snapshot.fold(directory, int(segments(directory)[-1].stem))


def test_of_a_damaged_snapshot_the_sound_records_are_saved(tmp_path: Path) -> None:
    before = records_of(busy_day(tmp_path).store)
    fold_all(tmp_path)
    path = tmp_path / "journal" / snapshot.NAME
    flip(path, len(path.read_bytes()) // 2)
    found, farm = repaired(tmp_path)
    after = records_of(farm.store)
    assert len(after) == len(before) - 1
    assert before.keys() - after.keys() <= found.touched


@pytest.mark.parametrize("damage", ["header", "end", "empty", "cut"])
def test_a_snapshot_that_lost_its_head_or_its_end_is_used_as_far_as_it_goes(
    tmp_path: Path, damage: str
) -> None:
    before = records_of(busy_day(tmp_path).store)
    fold_all(tmp_path)
    farm = make_farm(tmp_path, FakeClock())
    late = submit(farm)
    farm.store.close()
    path = tmp_path / "journal" / snapshot.NAME
    data = path.read_bytes()
    end = data[:-1].rindex(b"\n") + 1
    path.write_bytes({"header": b"x" + data[1:], "end": data[:-3], "empty": b"", "cut": data[:end]}[damage])
    found, farm = repaired(tmp_path)
    after = records_of(farm.store)
    assert not found.sound
    assert (Job, late) in after
    assert after.keys() - {(Job, late)} == (set() if damage == "empty" else before.keys())


def test_a_damaged_snapshot_is_not_needed_where_all_segments_are_there(tmp_path: Path) -> None:
    before = records_of(busy_day(tmp_path).store)
    (tmp_path / "journal" / snapshot.NAME).write_bytes(b"no snapshot")
    found, farm = repaired(tmp_path)
    assert not found.sound
    assert records_of(farm.store) == before


def test_a_damaged_stamp_loses_nothing(tmp_path: Path) -> None:
    before = records_of(busy_day(tmp_path).store)
    flip(segments(tmp_path / "journal")[1], 5)
    found, farm = repaired(tmp_path)
    assert (found.sound, found.kept) == (False, found.behind)
    assert records_of(farm.store) == before


def test_a_torn_tail_is_no_damage(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock())
    submit(farm)
    crash(farm.store)
    segment = segments(tmp_path / "journal")[0]
    segment.write_bytes(segment.read_bytes().rstrip(b"\0")[:-10])
    found = salvage(tmp_path / "journal")
    assert found.sound
    assert found.files[0].torn > 100


def test_the_damaged_files_are_kept_aside_as_they_were(tmp_path: Path) -> None:
    busy_day(tmp_path)
    flip(segments(tmp_path / "journal")[0], 100)
    before = {path.name: path.read_bytes() for path in segments(tmp_path / "journal")}
    _, farm = repaired(tmp_path)
    submit(farm)
    kept = tmp_path / "journal.damaged-20260101T120000Z"
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == before
    assert kept.stat().st_mode & 0o077 == 0


class Killed(BaseException):
    """In place of a kill: nothing of the program may catch it."""


@pytest.mark.parametrize("function", ["link", "fsync", "rename", "unlink"])
def test_a_repair_that_is_killed_leaves_the_old_journal_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    """At every call that changes the disk, and then it is repaired again."""
    busy_day(tmp_path / "damaged")
    flip(segments(tmp_path / "damaged" / "journal")[0], 100)
    shutil.copytree(tmp_path / "damaged", tmp_path / "whole")
    wanted = records_of(repaired(tmp_path / "whole")[1].store)
    old = new = 0
    for count in range(20):
        root = tmp_path / str(count)
        shutil.copytree(tmp_path / "damaged", root)
        with monkeypatch.context() as patched:
            calls = kill_at(patched, function, count)
            try:
                repair(root / "journal", salvage(root / "journal"), AT)
            except Killed:
                pass
            else:
                assert calls[0] == count
                break
        try:
            assert records_of(make_farm(root, FakeClock()).store) == wanted
            new += 1
        except JournalError:
            old += 1
            shutil.rmtree(root / "journal.damaged-20260101T120000Z", ignore_errors=True)
            assert records_of(repaired(root)[1].store) == wanted
    assert old or function == "unlink"
    assert new or function in ("link", "rename")


def kill_at(patched: pytest.MonkeyPatch, function: str, count: int) -> list[int]:
    """Die in place of call `count` of a function that changes the disk; answers how many there were."""
    calls = [0]
    owner: Any = os if function in ("link", "fsync") else Path
    real = getattr(owner, function)

    def call(*arguments: Any, **keywords: Any) -> Any:
        if calls[0] == count:
            raise Killed
        calls[0] += 1
        return real(*arguments, **keywords)

    patched.setattr(owner, function, call)
    return calls
