"""The store holds no more than its quota, and leaves room on the disk; who puts too much is told so."""

from __future__ import annotations

from pathlib import Path

import pytest

from common import problems
from common.problems import Problem
from master.files.room import Room, Space
from tests.files.shelves import Shelves, announced, put
from tests.files.support import content


def refused(problem: pytest.ExceptionInfo[Problem]) -> str:
    assert problem.value.type is problems.FILES_FULL
    return problem.value.detail


def test_what_does_not_fit_is_refused_before_it_is_sent(shelves: Shelves) -> None:
    shelves.quota = 1000
    shelf = shelves.open()
    put(shelf, content(600))
    with pytest.raises(Problem) as caught:
        shelf.uploads.begin(announced(content(401, 1)))
    assert "--files-quota" in refused(caught)
    put(shelf, content(400, 1))


def test_uploads_count_by_what_has_come_of_them(shelves: Shelves) -> None:
    shelves.quota = 1000
    shelf = shelves.open()
    first, second = (shelf.uploads.begin(announced(content(700, seed))) for seed in (1, 2))
    shelf.uploads.append(first, 0, content(700, 1)[:500])
    with pytest.raises(Problem) as caught:
        shelf.uploads.append(second, 0, content(700, 2)[:501])
    refused(caught)
    assert second.offset == 0
    shelf.uploads.append(first, 500, content(700, 1)[500:])


def test_what_went_makes_room(shelves: Shelves) -> None:
    shelves.quota = 1000
    shelf = shelves.open()
    entry = put(shelf, content(900))
    with shelf.store.changing:
        shelf.store.index.remove(entry.sha256)
        shelf.store.erase(entry.sha256)
    put(shelf, content(900, 1))


@pytest.mark.parametrize(("size", "free", "fits"), [(10**12, 2**29 + 100, True), (10**12, 2**29 + 99, False)])
def test_the_disk_keeps_room_for_the_journal(tmp_path: Path, size: int, free: int, fits: bool) -> None:
    room = Room(tmp_path, 10**12, lambda _: Space(size, free))
    if fits:
        room.check(0, 100)
        return
    with pytest.raises(Problem) as caught:
        room.check(0, 100)
    assert "disk" in refused(caught)


def test_of_a_small_disk_a_twentieth_is_kept(tmp_path: Path) -> None:
    room = Room(tmp_path, 10**12, lambda _: Space(1000, 150))
    room.check(0, 100)
    with pytest.raises(Problem):
        room.check(0, 101)


def test_half_of_the_disk_is_the_quota_if_none_is_said(tmp_path: Path) -> None:
    from shutil import disk_usage

    assert Room(tmp_path, None).quota == disk_usage(tmp_path).total // 2
