"""Masters that share a directory know the same files, and none removes what another one's job needs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from common import problems
from common.model import Job, Role, UploadStatus
from common.problems import Problem
from common.schema import SubmitSchema
from master.files import Upload
from master.lifecycle import commands
from master.service import Caller, Farm, files, jobs, leftovers
from master.store.interface import Transaction
from tests.core.support import (
    AGENT,
    LADDER,
    OPERATOR,
    FakeClock,
    all_jobs,
    must_claim,
    register,
    submit,
)
from tests.files.support import content, sha256_of
from tests.store.postgresql.conftest import Masters, at_once, somebody_waits, until

DATA = content(1_000_000)
NAME = sha256_of(DATA)
ALICE, BOB = (Caller(Role.SUBMITTER, name=name) for name in ("alice", "bob"))


def begin(farm: Farm, data: bytes = DATA, caller: Caller = OPERATOR, **fields: Any) -> Upload:
    told = {"sha256": sha256_of(data), "size": len(data), "name": None, "media_type": None, "job_id": None}
    begun = files.begin(farm, caller, {**told, **fields})
    assert isinstance(begun, Upload)
    return begun


def put(farm: Farm, data: bytes = DATA, caller: Caller = OPERATOR, **fields: Any) -> str:
    """The file is stored when this returns, whoever else sends it."""
    told = {"sha256": sha256_of(data), "size": len(data), "name": None, "media_type": None, "job_id": None}
    while isinstance(begun := files.begin(farm, caller, {**told, **fields}), Upload):
        with suppress(Problem):  # the same sender goes on with it at another master
            files.send(farm, caller, begun.id, begun.offset, data[begun.offset :])
    return sha256_of(data)


def names(farm: Farm) -> list[str]:
    return [entry.sha256 for entry in files.page(farm, OPERATOR, "", None, 100)[0]]


def content_of(farm: Farm, sha256: str) -> bytes:
    with files.content(farm, OPERATOR, sha256)[1] as file:
        return file.read()


def read(farm: Farm, sha256: str) -> str:
    """A job that reads the file."""
    fields = {"scenario": "720p-h264", "input": f"file:{sha256}"}
    return jobs.submit(farm, OPERATOR, SubmitSchema().load(fields)).job.id


def test_what_came_to_one_is_known_to_all_and_so_is_what_went(sharing: Masters) -> None:
    first, second = sharing(2)
    put(first, name="a.mp4")
    assert names(second) == [NAME]
    assert content_of(second, NAME) == DATA
    files.remove(second, OPERATOR, NAME)
    assert names(first) == []
    assert first.shelf.uploads.held == 0
    with pytest.raises(Problem) as refused:
        files.content(first, OPERATOR, NAME)
    assert refused.value.type is problems.UNKNOWN_FILE


def test_all_are_bound_by_one_quota(sharing: Masters) -> None:
    first, second = sharing(2, files_quota=2_500_000)
    put(first)
    begun = begin(second, content(1_200_000, 1))
    files.send(second, OPERATOR, begun.id, 0, content(1_200_000, 1)[:600_000])
    assert first.shelf.uploads.held == second.shelf.uploads.held == 1_600_000
    with pytest.raises(Problem) as refused:
        begin(first, content(900_001, 2))
    assert refused.value.type is problems.FILES_FULL
    files.abandon(first, OPERATOR, begun.id)
    put(first, content(1_500_000, 3))
    assert second.shelf.store.index.size == second.shelf.uploads.held == 2_500_000
    assert second.shelf.store.index.count == 2


def test_the_same_content_that_comes_to_all_at_once_is_one_file_with_all_holders(
    sharing: Masters,
) -> None:
    farms = sharing(2)
    at_once(*(partial(put, farms[n % 2], caller=who) for n, who in enumerate((ALICE, BOB, OPERATOR, ALICE))))
    entry = farms[0].shelf.store.get(NAME)
    assert entry is not None
    assert {holding.owner for holding in entry.holdings} == {"alice", "bob", None}
    assert farms[1].shelf.store.index.size == len(DATA)
    assert content_of(farms[1], NAME) == DATA


def test_an_upload_goes_on_at_another_master_and_all_tell_how_it_ended(sharing: Masters) -> None:
    first, second = sharing(2)
    upload_id = begin(first).id
    files.send(first, OPERATOR, upload_id, 0, DATA[:300_000])
    assert begin(second).id == upload_id
    assert files.upload_of(second, OPERATOR, upload_id).offset == 300_000
    files.send(second, OPERATOR, upload_id, 300_000, DATA[300_000:700_000])
    files.send(first, OPERATOR, upload_id, 700_000, DATA[700_000:])
    for farm in (second, first):
        until(lambda farm=farm: files.upload_of(farm, OPERATOR, upload_id).status is UploadStatus.STORED)  # type: ignore[misc]
    assert content_of(second, NAME) == DATA


def test_whoever_sends_something_else_is_told_so_at_any_master(sharing: Masters) -> None:
    first, second = sharing(2)
    upload_id = begin(first).id
    files.send(first, OPERATOR, upload_id, 0, DATA[:-1])
    until(lambda: second.shelf.uploads.get(upload_id) is not None)
    for farm, data in ((first, b"?"), (second, b"")):
        with pytest.raises(Problem) as refused:
            files.send(farm, OPERATOR, upload_id, len(DATA) - len(data), data)
        assert refused.value.type is problems.WRONG_HASH
    assert second.shelf.uploads.held == 0


def test_what_is_whole_when_its_master_is_killed_is_stored_by_the_other(
    sharing: Masters, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, left = sharing(2)
    upload_id = begin(killed).id
    monkeypatch.setattr(killed.shelf.uploads, "_settle", lambda _: None)  # it dies before
    files.send(killed, OPERATOR, upload_id, 0, DATA)
    assert files.upload_of(left, OPERATOR, upload_id).status is UploadStatus.CHECKING
    until(lambda: left.shelf.store.get(NAME) is not None)
    assert files.upload_of(left, OPERATOR, upload_id).status is UploadStatus.STORED


def test_an_upload_that_nobody_goes_on_with_goes_and_one_of_another_master_stays(
    sharing: Masters, clock: FakeClock
) -> None:
    first, second = sharing(2)
    old, new = begin(first).id, begin(first, content(1000, 1)).id
    part = first.shelf.uploads._directory / f"{old}.part"
    long_ago = clock().wall.timestamp() - 2 * 86400
    os.utime(part, (long_ago, long_ago))
    os.utime(part.with_name(f"{new}.part"), (clock().wall.timestamp(),) * 2)
    files.let_go(second, clock())
    assert not part.exists()
    assert first.shelf.uploads.get(old) is None
    assert first.shelf.uploads.get(new) is not None


def test_a_file_that_a_job_comes_to_need_just_now_is_not_removed(
    sharing: Masters, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sharing(2)
    put(first)
    looked, go_on, check = threading.Event(), threading.Event(), files.check_input

    def check_slowly(farm: Farm, tx: Transaction, job: Job) -> None:
        check(farm, tx, job)
        looked.set()
        assert go_on.wait(30)

    monkeypatch.setattr(files, "check_input", check_slowly)
    with ThreadPoolExecutor(2) as pool:
        submitted = pool.submit(read, first, NAME)
        assert looked.wait(30)
        removed = pool.submit(files.remove, second, OPERATOR, NAME)
        until(lambda: removed.done() or somebody_waits(second))
        go_on.set()
        with pytest.raises(Problem) as refused:
            removed.result()
        assert refused.value.type is problems.UNAVAILABLE
        assert submitted.result() in all_jobs(second)
    with pytest.raises(Problem) as refused:
        files.remove(second, OPERATOR, NAME)
    assert refused.value.type is problems.FILE_IN_USE
    assert content_of(second, NAME) == DATA


@pytest.mark.parametrize("turn", range(3))
def test_of_a_job_and_the_removal_of_its_input_at_another_master_one_is_refused(
    sharing: Masters, turn: int
) -> None:
    first, second = sharing(2)
    put(first)

    def attempt(call: Callable[[], object]) -> bool:
        try:
            call()
        except Problem:
            return False
        return True

    at_once(
        lambda: attempt(partial(read, first, NAME)),
        lambda: attempt(partial(files.remove, second, OPERATOR, NAME)),
    )
    assert bool(all_jobs(first)) == (names(first) == [NAME])


def test_what_nobody_uses_goes_after_a_while_and_what_was_read_at_another_master_stays(
    sharing: Masters, clock: FakeClock
) -> None:
    first, second = sharing(2, keep_files=1000.0)
    unused, used = put(first), put(first, content(1000, 1))
    clock.advance(600)
    content_of(second, used)
    second.store.tidy(clock())
    clock.advance(600)
    assert files.let_go(first, clock()) == 1
    assert names(second) == [used] != [unused]


def test_what_a_family_leaves_at_one_master_is_removed_by_another(sharing: Masters) -> None:
    first, second = sharing(2)
    leftovers.sweep(second)
    node_id = register(first, caller=AGENT, output_roots=["out"])
    parent_id = submit(first, parameters=LADDER)
    view = must_claim(first, node_id)
    stray = put(first, caller=Caller(Role.NODE, node_id), job_id=view.job.id)
    assert leftovers.sweep(second) == 0
    jobs.change(first, OPERATOR, parent_id, commands.Cancel())
    until(lambda: len(second.ended) > 0)
    assert leftovers.sweep(second) == 1
    assert names(first) == [] != [stray]


def test_what_is_put_while_another_master_looks_what_is_there_stays(
    sharing: Masters, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sharing(2)
    looking = second.shelf.store
    came: list[str] = []

    @contextmanager
    def exclusive(name: str) -> Iterator[None]:
        if not came:  # it has just begun
            came.append(put(first))
            clock.advance(600)
        with second.store.exclusive(name):
            yield

    monkeypatch.setattr(looking, "_exclusive", exclusive)
    looking.load(clock())
    assert names(first) == names(second) == came == [NAME]


def test_what_nfs_does_not_show_yet_stays(sharing: Masters, clock: FakeClock, tmp_path: Path) -> None:
    first, second = sharing(2)
    put(first)
    path = first.shelf.store.directory / NAME[:2] / NAME
    path.rename(tmp_path / "hidden")
    second.shelf.store.load(clock())
    assert names(first) == [NAME]
    clock.advance(600)
    second.shelf.store.load(clock())
    assert names(first) == []


def test_what_a_killed_master_had_half_done_is_seen_to_by_whoever_leads_next(
    sharing: Masters, clock: FakeClock
) -> None:
    killed, left = sharing(2)
    lost, kept = put(killed, content(1000, "lost")), put(killed, content(1000, "kept"))
    killed.shelf.store.index.remove(kept)  # its content had its place, and nobody was told of it
    (killed.shelf.store.directory / lost[:2] / lost).unlink()
    clock.advance(600)
    leftovers.sweep(left)
    assert names(left) == [kept]
    assert left.shelf.store.index.size == 1000
