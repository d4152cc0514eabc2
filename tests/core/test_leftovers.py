"""What the jobs of a family hand to each other leaves the file store with its end; nothing else does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.model import Artifact, ArtifactKind, Divisible, Failure, Findings, JobStatus
from master.files import FileEntry, Holding
from master.lifecycle import commands
from master.service import Farm, jobs, leftovers
from tests.core.support import (
    AGENT,
    LADDER,
    OPERATOR,
    SOURCE,
    FakeClock,
    crash,
    crash_all,
    finish,
    make_farm,
    must_claim,
    register,
    submit,
)


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    yield
    crash_all()


class Family:
    """A job whose plan put the input into the store, and whose parts make one intermediate file each."""

    def __init__(self, farm: Farm, directory: Path) -> None:
        self.farm, self.directory = farm, directory
        self.node = register(farm, caller=AGENT, output_roots=["out"], max_concurrent_jobs=8)
        self.id = submit(farm, parameters=LADDER)
        view = must_claim(farm, self.node)
        given = self.put("input", self.id)
        divisible = Divisible(None, input=f"file:{given}")
        finish(farm, view, metrics=SOURCE, findings=Findings(divisible=divisible))
        self.views = [must_claim(farm, self.node) for _ in range(3)]
        self.sweep()  # the first one after a start looks at all files

    def put(self, content: str, job_id: str | None, *, by_node: bool = True, owner: str | None = None) -> str:
        sha256 = hashlib.sha256(content.encode()).hexdigest()
        part = self.directory / "part"
        part.write_text(content)
        now = self.farm.clock()
        holding = Holding(owner, None, None, now.wall, by_node)
        self.farm.shelf.store.add(part, FileEntry(sha256, len(content), (holding,), now, job_id))
        return sha256

    def make(self, number: int, kind: ArtifactKind = ArtifactKind.INTERMEDIATE) -> str:
        view = self.views[number]
        sha256 = self.put(f"chunk {number}", view.job.id)
        found = Artifact("chunk.mp4", kind, "video/mp4", 7, sha256, f"file:{sha256}")
        finish(self.farm, view, findings=Findings(artifacts=(found,)))
        return sha256

    def sweep(self) -> int:
        leftovers.sweep(self.farm)
        return self.farm.shelf.store.index.count


@pytest.fixture
def family(farm: Farm, tmp_path: Path) -> Family:
    return Family(farm, tmp_path)


def test_nothing_goes_while_the_family_is_not_finished(family: Family) -> None:
    for number in range(3):
        family.make(number)
    assert family.sweep() == 4


def test_all_goes_when_it_is_completed_but_for_what_it_made(farm: Farm, family: Family) -> None:
    for number in range(3):
        family.make(number)
    joining = must_claim(farm, family.node)
    film = family.put("film", family.id)
    made = Artifact("film.mp4", ArtifactKind.VIDEO, "video/mp4", 4, film, f"file:{film}")
    finish(farm, joining, findings=Findings(artifacts=(made,)))
    assert family.sweep() == 1
    assert farm.shelf.store.get(film) is not None


def test_all_goes_when_a_part_fails_for_good(farm: Farm, family: Family) -> None:
    family.make(0)
    finish(farm, family.views[1], JobStatus.FAILED, error=Failure("encoder_error", "no"))
    assert family.sweep() == 0


def test_all_goes_when_it_is_canceled_also_what_comes_late(farm: Farm, family: Family) -> None:
    family.make(0)
    jobs.change(farm, OPERATOR, family.id, commands.Cancel())
    assert family.sweep() == 1 - 1
    chunk = Artifact("chunk.mp4", ArtifactKind.INTERMEDIATE, "video/mp4", 7, "0" * 64, None)
    assert chunk.location is None
    family.put("an input that was on its way", family.id)
    assert family.sweep() == 0


def test_a_killed_master_removes_it_when_it_starts_again(
    farm: Farm, family: Family, tmp_path: Path, clock: FakeClock
) -> None:
    family.make(0)
    jobs.change(farm, OPERATOR, family.id, commands.Cancel())
    crash(farm.store)
    again = make_farm(tmp_path, clock)
    again.begin()
    leftovers.sweep(again)
    assert again.shelf.store.index.count == 0


def test_what_a_node_put_for_somebody_else_stays_whatever_a_part_names(farm: Farm, family: Family) -> None:
    hers = family.put("her film", None, owner="alice")
    named = Artifact("chunk.mp4", ArtifactKind.INTERMEDIATE, "video/mp4", 8, hers, f"file:{hers}")
    finish(farm, family.views[0], findings=Findings(artifacts=(named,)))
    jobs.change(farm, OPERATOR, family.id, commands.Cancel())
    assert family.sweep() == 1
    assert farm.shelf.store.get(hers) is not None


def test_what_a_person_put_as_well_stays_in_whatever_order(farm: Farm, family: Family) -> None:
    first = family.make(0)
    family.put("chunk 0", None, by_node=False)
    second = family.put("chunk 1", None, by_node=False)
    family.make(1)
    jobs.change(farm, OPERATOR, family.id, commands.Cancel())
    assert family.sweep() == 2
    assert {entry.sha256 for entry in farm.shelf.store.all()} == {first, second}


def test_what_another_unfinished_job_reads_stays_until_that_is_finished(farm: Farm, family: Family) -> None:
    chunk = family.make(0)
    other = submit(farm, input=f"file:{chunk}")
    by_job = submit(farm, input=f"job:{family.views[1].job.id}/chunk.mp4")
    named = family.make(1)
    for number in (2,):
        family.make(number)
    finish(farm, must_claim(farm, family.node))
    assert {entry.sha256 for entry in farm.shelf.store.all()} >= {chunk, named}
    family.sweep()
    assert {entry.sha256 for entry in farm.shelf.store.all()} == {chunk, named}
    jobs.change(farm, OPERATOR, by_job, commands.Cancel())
    family.sweep()
    assert {entry.sha256 for entry in farm.shelf.store.all()} == {chunk}
    jobs.change(farm, OPERATOR, other, commands.Cancel())


def test_files_of_other_jobs_that_nodes_put_stay(farm: Farm, family: Family) -> None:
    lone = submit(farm, output="files")
    view = must_claim(farm, family.node)
    film = family.put("film", lone)
    made = Artifact("film.mp4", ArtifactKind.VIDEO, "video/mp4", 4, film, f"file:{film}")
    finish(farm, view, findings=Findings(artifacts=(made,)))
    jobs.change(farm, OPERATOR, family.id, commands.Cancel())
    assert family.sweep() == 1
    assert farm.shelf.store.get(film) is not None


def test_who_put_a_file_is_known_after_a_restart(
    farm: Farm, family: Family, tmp_path: Path, clock: FakeClock
) -> None:
    crash(farm.store)
    assert all(entry.by_nodes for entry in make_farm(tmp_path, clock).shelf.store.all())


def test_an_input_that_was_put_here_in_vain_goes_with_the_job_that_was_encoded_whole(
    farm: Farm, family: Family
) -> None:
    job_id = submit(farm, input="media:films/a.mp4", parameters={"split": 4, "crf": 23}, priority="high")
    node = register(farm, caller=AGENT, media_roots=["films"])
    planning = must_claim(farm, node)
    assert planning.job.id == job_id
    given = f"file:{family.put('handed on', job_id)}"
    assert family.sweep() == 2
    finish(farm, planning, findings=Findings(divisible=Divisible("it has no end", input=given)))
    assert family.sweep() == 2
    finish(farm, must_claim(farm, node))
    assert family.sweep() == 1


def test_the_end_of_a_family_has_its_own_files_looked_at_and_no_others(
    farm: Farm, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        family.make(number)
    others = [family.put(f"of others {number}", submit(farm, output="files")) for number in range(50)]
    family.sweep()
    looked_at: list[str] = []
    seize = farm.shelf.store.index.seize

    def noted(sha256: str) -> FileEntry | None:
        looked_at.append(sha256)
        return seize(sha256)

    monkeypatch.setattr(farm.shelf.store.index, "seize", noted)
    jobs.change(farm, OPERATOR, family.id, commands.Cancel())
    assert family.sweep() == len(others)
    assert not set(others) & set(looked_at)
    assert len(looked_at) == 4


def test_what_was_put_for_which_job_is_known_after_a_restart_too(
    farm: Farm, family: Family, tmp_path: Path, clock: FakeClock
) -> None:
    (given,) = farm.shelf.store.index.put_for(family.id)
    crash(farm.store)
    store = make_farm(tmp_path, clock).shelf.store
    assert store.index.put_for(family.id) == [given]
    store.index.remove(given)
    assert store.index.put_for(family.id) == []
