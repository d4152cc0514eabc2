"""Every recorded event is in the audit exactly once, whatever was folded, and whenever a fold died."""

from __future__ import annotations

import shutil
import threading
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.model import Actor, Role
from master.lifecycle import commands
from master.lifecycle.events import Event
from master.service import Caller, Farm, jobs
from master.store import audit, snapshot, trail
from master.store import segments as journal_segments
from master.store.audit import AuditFiles, Block
from master.store.folding import FOLD_AFTER
from master.store.segments import Segment, number_of, segments
from master.store.trail import Trail, Wanted
from tests.core.support import FakeClock, crash, finish, make_farm, must_claim, register, submit
from tests.store.support import audited, recorded_in
from tests.store.test_snapshot import busy_farm


class KilledError(Exception):
    """A process ends here, as far as these tests are concerned."""


class Story:
    """A farm whose every event is noted beside the journal, as those who subscribe are told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = FakeClock()
        self.told: list[Event] = []
        self.farm = self._start()

    def _start(self) -> Farm:
        farm = make_farm(self.root, self.clock, 8192)
        farm.store.subscribe(lambda told: self.told.extend(told.events))
        return farm

    def work(self) -> None:
        node_id = register(self.farm)
        submit(self.farm)
        finish(self.farm, must_claim(self.farm, node_id))
        submit(self.farm)

    def restart(self) -> None:
        self.farm.store.close()
        self.farm = self._start()

    def fall(self) -> None:
        """Ends without a word, and is started again."""
        crash(self.farm.store)
        self.farm = self._start()

    def fold(self, killed_after: str | None) -> None:
        directory = self.root / "journal"
        *closed, _ = segments(directory)
        if not closed:
            return
        with pytest.MonkeyPatch.context() as patch:
            if killed_after is not None:
                _kill_after(patch, killed_after)
            try:
                snapshot.fold(directory, number_of(closed[-1]))
            except KilledError:
                return


def _kill_after(patch: pytest.MonkeyPatch, step: str) -> None:
    place = {"append": AuditFiles, "write": snapshot, "remove_covered": snapshot}[step]
    carry_out = getattr(place, step)

    def and_die(*arguments: object) -> None:
        carry_out(*arguments)
        raise KilledError

    patch.setattr(place, step, and_die)


STEPS = st.one_of(
    st.sampled_from([("work",), ("restart",), ("fall",)]),
    st.tuples(st.just("fold"), st.sampled_from([None, "append", "write", "remove_covered"])),
)


@given(steps=st.lists(STEPS, max_size=12), limit=st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_whatever_happens_each_event_is_in_it_once_and_in_order(
    steps: list[tuple[str, ...]], limit: int
) -> None:
    with TemporaryDirectory() as directory:
        story = Story(Path(directory))
        for step, *arguments in steps:
            getattr(story, step)(*arguments)
        found = audited(story.root, limit)
        crash(story.farm.store)
    expected = list(snapshot.entries(0, [(Actor("operator"), story.told)]))
    assert found == expected[::-1]


def test_a_fold_keeps_the_audit_as_it_was(tmp_path: Path) -> None:
    busy_farm(tmp_path)
    before = recorded_in(tmp_path)
    assert audited(tmp_path) == before[::-1]
    snapshot.fold(tmp_path / "journal", number_of(segments(tmp_path / "journal")[-1]))
    assert segments(tmp_path / "journal") == []
    assert audited(tmp_path) == before[::-1]


def test_a_fold_that_was_killed_leaves_no_unfinished_file_for_long(tmp_path: Path) -> None:
    busy_farm(tmp_path)
    (tmp_path / "audit").mkdir()
    unfinished = tmp_path / "audit" / "0000000000000001.jsonl.gz.abc.part"
    unfinished.write_bytes(b"half")
    snapshot.fold(tmp_path / "journal", 1)
    assert not unfinished.exists()


def test_whoever_reads_while_it_is_folded_misses_nothing(tmp_path: Path) -> None:
    story = Story(tmp_path)
    over = threading.Event()

    def fold_on() -> None:
        while not over.is_set():
            story.fold(None)

    folding = threading.Thread(target=fold_on)
    folding.start()
    reader = Trail(tmp_path / "journal")
    try:
        for _ in range(40):
            story.work()
            page = reader.page(len(story.told) + 1, 1000, Wanted())
            assert [entry["seq"] for entry in page.entries] == list(range(len(story.told), 0, -1))
            assert page.next is None
    finally:
        over.set()
        folding.join()
    assert snapshot.header(tmp_path / "journal")[0] > 0, "nothing was folded meanwhile"


def test_what_is_folded_just_before_it_is_read_is_found_in_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(tmp_path)
    story.work()
    story.restart()
    reader = Trail(tmp_path / "journal")
    before = reader.page(10**15, 1000, Wanted())
    examine = journal_segments.examine

    def too_late(path: Path, *, last: bool) -> Segment:
        monkeypatch.undo()
        story.fold(None)
        return examine(path, last=last)

    monkeypatch.setattr(journal_segments, "examine", too_late)
    assert reader.page(10**15, 1000, Wanted()) == before
    assert len(before.entries) == len(story.told)
    assert len(segments(tmp_path / "journal")) == 1


def test_numbers_at_and_above_the_given_one_are_left_out(tmp_path: Path) -> None:
    story = Story(tmp_path)
    story.work()
    page = story.farm.store.trail.page(3, 1000, Wanted())
    assert [entry["seq"] for entry in page.entries] == [2, 1]


@pytest.fixture(params=["in the journal", "in the files"])
def short_story(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """A node at 0:00, two jobs at 0:01, Alice cancels the first at 0:02; its id, and that of the node."""
    clock = FakeClock()
    farm = make_farm(tmp_path, clock)
    node_id = register(farm)
    clock.advance(60)
    job_id, _ = submit(farm), submit(farm)
    must_claim(farm, node_id)
    clock.advance(60)
    jobs.change(farm, Caller(Role.OPERATOR, name="alice"), job_id, commands.Cancel())
    farm.store.close()
    if request.param == "in the files":
        snapshot.fold(tmp_path / "journal", 1)
    return job_id, node_id


def names(root: Path, **wanted: Any) -> list[str]:
    return [each["event"] for each in audited(root, 2, Wanted(**wanted))]


def test_it_is_asked_about_people_events_jobs_and_nodes(tmp_path: Path, short_story: tuple[str, str]) -> None:
    job_id, node_id = short_story
    assert names(tmp_path, by="alice") == ["job_canceled"]
    assert names(tmp_path, event="job_submitted") == ["job_submitted"] * 2
    assert names(tmp_path, job_id=job_id) == ["job_canceled", "job_claimed", "job_submitted"]
    assert names(tmp_path, node_id=node_id) == ["job_canceled", "job_claimed", "node_registered"]
    assert names(tmp_path, node_id=node_id, by="alice") == ["job_canceled"]
    assert names(tmp_path, job_id="alice") == []


def test_it_is_asked_about_times(tmp_path: Path, short_story: tuple[str, str]) -> None:
    minute = FakeClock()().wall + timedelta(minutes=1)
    after = minute + timedelta(seconds=1)
    assert names(tmp_path, since=after) == ["job_canceled"]
    assert names(tmp_path, since=minute, until=after) == ["job_claimed", "job_submitted", "job_submitted"]
    assert names(tmp_path, until=minute) == ["node_registered"]


def test_a_page_is_sought_in_a_bounded_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "BLOCK_BYTES", 1)
    busy_farm(tmp_path)
    snapshot.fold(tmp_path / "journal", 2)
    monkeypatch.setattr(trail, "MAX_BYTES", 1)
    only_the_first = Wanted(until=FakeClock()().wall + timedelta(seconds=1), event="node_registered")
    page = Trail(tmp_path / "journal").page(10**15, 1000, only_the_first)
    assert (len(page.entries), page.next is None) == (1, False)
    assert len(audited(tmp_path, 1000, only_the_first)) == FOLD_AFTER


def test_of_old_blocks_only_the_labels_are_read(
    tmp_path: Path, short_story: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot.fold(tmp_path / "journal", 1)
    monkeypatch.setattr(Block, "lines", lambda _: pytest.fail("a block was unpacked"))
    assert names(tmp_path, since=FakeClock()().wall + timedelta(days=1)) == []
    assert names(tmp_path, until=FakeClock()().wall - timedelta(days=1)) == []


def test_who_did_it_is_null_where_an_older_program_did_not_note_it(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parent / "data" / "format-1", tmp_path, dirs_exist_ok=True)
    found = audited(tmp_path)
    assert found
    assert {each["by"] for each in found} == {None}
