"""A job waits for the jobs that it depends on, fails with them, and reads what they made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from common.model import Artifact, ArtifactKind, Failure, Findings, JobStatus, Role
from common.problems import Problem
from common.schema import BatchSchema
from master.api.documents import archive_entry, claim_document
from master.files import FileEntry, Holding
from master.lifecycle import commands, events
from master.service import Caller, Farm, files, jobs
from master.service.retention import Retention
from master.store import snapshot
from tests.core.support import (
    AGENT,
    LADDER,
    OPERATOR,
    TARGET,
    FakeClock,
    all_jobs,
    claim,
    crash,
    crash_all,
    divide,
    embedded,
    finish,
    job,
    make_farm,
    must_claim,
    parts,
    register,
    submit,
)

CONTENT = "a" * 64
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    yield
    crash_all()


@pytest.fixture
def node(farm: Farm) -> str:
    return register(farm, caller=AGENT, max_concurrent_jobs=8)


def cancel(farm: Farm, job_id: str) -> None:
    jobs.change(farm, OPERATOR, job_id, commands.Cancel())


def status(farm: Farm, *job_ids: str) -> list[str]:
    return [job(farm, job_id).job.status.value for job_id in job_ids]


def batch(farm: Farm, *documents: dict[str, Any], caller: Caller = OPERATOR) -> list[str]:
    loaded = BatchSchema().load({"jobs": [{"scenario": "720p-h264", **each} for each in documents]})
    return [view.job.id for view in jobs.submit_batch(farm, caller, loaded["jobs"])]


def put(farm: Farm, tmp_path: Path, sha256: str = CONTENT, owner: str | None = None) -> None:
    part = tmp_path / "part"
    part.write_bytes(b"film")
    farm.shelf.store.add(
        part,
        FileEntry(sha256, 4, (Holding(owner, None, None, farm.clock().wall),), farm.clock()),
    )


def made(path: str = "a.mp4", location: str | None = f"file:{CONTENT}") -> Findings:
    return Findings(artifacts=(Artifact(path, ArtifactKind.VIDEO, "video/mp4", 4, CONTENT, location),))


def refused(farm: Farm, **fields: Any) -> Problem:
    with pytest.raises(Problem) as problem:
        submit(farm, **fields)
    return problem.value


def test_it_is_given_to_no_node_until_all_are_completed(farm: Farm, node: str) -> None:
    first, second = submit(farm), submit(farm)
    last = submit(farm, depends_on=[first, second])
    views = [must_claim(farm, node), must_claim(farm, node)]
    assert claim(farm, node) is None
    assert job(farm, last).pending_reason == f"waits for 2 of 2 jobs: {first}, {second}"
    finish(farm, views[0])
    assert claim(farm, node) is None
    assert job(farm, last).pending_reason == f"waits for 1 of 2 jobs: {second}"
    finish(farm, views[1])
    assert must_claim(farm, node).job.id == last


def test_one_that_depends_on_a_completed_job_may_begin_at_once(farm: Farm, node: str) -> None:
    first = submit(farm)
    finish(farm, must_claim(farm, node))
    later = submit(farm, depends_on=[first])
    assert must_claim(farm, node).job.id == later


def test_a_failure_that_is_tried_again_keeps_it_waiting(farm: Farm, node: str) -> None:
    last = submit(farm, depends_on=[submit(farm)])
    finish(farm, must_claim(farm, node), JobStatus.FAILED, error=Failure("disk_full", "no space"))
    assert status(farm, last) == ["pending"]


def test_a_failure_for_good_fails_all_along_the_chain_with_its_reason(farm: Farm, node: str) -> None:
    first = submit(farm)
    second = submit(farm, depends_on=[first])
    third = submit(farm, depends_on=[second])
    other = submit(farm)
    finish(farm, must_claim(farm, node), JobStatus.FAILED, error=Failure("encoder_error", "no such option"))
    assert status(farm, first, second, third, other) == ["failed", "failed", "failed", "pending"]
    reason = Failure(
        "dependency_failed",
        f"job {first}, on which it depends, failed: no such option (encoder_error)",
    )
    assert [job(farm, each).job.error for each in (second, third)] == [reason, reason]


def test_a_canceled_job_fails_those_that_depend_on_it_also_paused_ones(farm: Farm) -> None:
    first = submit(farm)
    second = submit(farm, depends_on=[first])
    jobs.change(farm, OPERATOR, second, commands.PauseJob())
    cancel(farm, first)
    assert status(farm, first, second) == ["canceled", "failed"]
    error = job(farm, second).job.error
    assert error is not None
    assert "was canceled: canceled by an operator" in error.message


def test_a_paused_one_stays_paused_when_they_are_completed(farm: Farm, node: str) -> None:
    last = submit(farm, depends_on=[submit(farm)])
    jobs.change(farm, OPERATOR, last, commands.PauseJob())
    finish(farm, must_claim(farm, node))
    assert claim(farm, node) is None
    jobs.change(farm, OPERATOR, last, commands.ResumeJob())
    assert must_claim(farm, node).job.id == last


def test_cancelling_what_waits_leaves_the_others_alone(farm: Farm, node: str) -> None:
    first = submit(farm)
    cancel(farm, submit(farm, depends_on=[first]))
    finish(farm, must_claim(farm, node))
    assert status(farm, first) == ["completed"]


def test_jobs_that_cannot_be_depended_on_are_refused(farm: Farm, node: str) -> None:
    gone = submit(farm)
    cancel(farm, gone)
    assert refused(farm, depends_on=[NOBODY]).type.slug == "unknown_job"
    problem = refused(farm, depends_on=[gone])
    assert (problem.type.slug, problem.extra["job_id"]) == ("dependency_failed", gone)
    assert refused(farm, input="job:#0/a.mp4").type.slug == "invalid"
    assert len(all_jobs(farm)) == 1


def test_a_submitter_may_name_its_own_jobs_only(farm: Farm) -> None:
    ann, bob = (Caller(Role.SUBMITTER, name=name) for name in ("ann", "bob"))
    (hers,) = batch(farm, {}, caller=ann)
    assert batch(farm, {"depends_on": [hers]}, caller=ann)
    with pytest.raises(Problem) as problem:
        batch(farm, {"depends_on": [hers]}, caller=bob)
    assert problem.value.type.slug == "forbidden"
    with pytest.raises(Problem, match="not yours"):
        batch(farm, {"input": f"job:{hers}/a.mp4"}, caller=bob)


def test_a_job_of_a_batch_names_another_by_its_place(farm: Farm) -> None:
    ids = batch(farm, {}, {}, {"depends_on": ["#1", "#0"]}, {"input": "job:#2/a.mp4"})
    assert job(farm, ids[2]).job.depends_on == (ids[1], ids[0])
    assert (job(farm, ids[3]).job.depends_on, job(farm, ids[3]).job.input) == (
        (ids[2],),
        f"job:{ids[2]}/a.mp4",
    )


@pytest.mark.parametrize("place", ["#1", "#2"])
def test_a_job_of_a_batch_cannot_name_itself_or_one_behind_it(farm: Farm, place: str) -> None:
    with pytest.raises(Problem, match="must be a job before this one") as problem:
        batch(farm, {}, {"depends_on": [place]}, {})
    assert problem.value.extra["index"] == 1
    assert not all_jobs(farm)


def test_a_batch_may_not_name_more_than_can_be_kept(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("master.service.chains.MAX_AT_ONCE", 2)
    with pytest.raises(Problem, match="3 jobs, counted for each"):
        batch(farm, {}, {"depends_on": ["#0"]}, {"depends_on": ["#0", "#1"]})


def test_an_input_that_another_job_makes_is_handed_on_by_its_hash(
    farm: Farm, node: str, tmp_path: Path
) -> None:
    first = submit(farm, output="files")
    last = submit(farm, input=f"job:{first}/a.mp4")
    assert job(farm, last).job.depends_on == (first,)
    put(farm, tmp_path)
    finish(farm, must_claim(farm, node), findings=made())
    view = must_claim(farm, node)
    assert claim_document(view)["input"] == f"file:{CONTENT}"
    assert job(farm, last).job.input == f"job:{first}/a.mp4"
    given_again = claim(farm, node, known=[])
    assert given_again is not None
    assert given_again.job.input == f"file:{CONTENT}"
    who = replace(OPERATOR, role=Role.NODE, node_id=node)
    assert files.content(farm, who, CONTENT)[0].sha256 == CONTENT
    with pytest.raises(Problem, match="not finished and needs the file"):
        files.remove(farm, OPERATOR, CONTENT)
    finish(farm, view)
    with pytest.raises(Problem) as problem:
        files.content(farm, who, CONTENT)
    assert problem.value.type.slug == "unknown_file"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (made("b.mp4"), "made no 'a.mp4': it made 'b.mp4'"),
        (made(location=None), "on its node alone"),
        (made(location="media:out/a.mp4"), "at media:out/a.mp4, and not in the file store"),
        (Findings(), "it made nothing that is kept"),
    ],
)
def test_what_was_not_made_fails_who_wants_to_read_it(
    farm: Farm, node: str, found: Findings, words: str
) -> None:
    first = submit(farm)
    last = submit(farm, input=f"job:{first}/a.mp4")
    finish(farm, must_claim(farm, node), findings=found)
    error = job(farm, last).job.error
    assert error is not None
    assert (error.code, words in error.message) == ("dependency_failed", True)
    assert words in refused(farm, input=f"job:{first}/a.mp4").detail


def test_a_file_that_is_gone_by_the_time_of_the_claim_fails_its_reader(
    farm: Farm, node: str, tmp_path: Path
) -> None:
    first = submit(farm)
    put(farm, tmp_path)
    last, other = submit(farm, input=f"job:{first}/a.mp4"), submit(farm)
    finish(farm, must_claim(farm, node), findings=made())
    farm.shelf.store.index.remove(CONTENT)
    assert must_claim(farm, node).job.id == other
    error = job(farm, last).job.error
    assert error is not None
    assert "not in the file store any more" in error.message
    assert refused(farm, input=f"job:{first}/a.mp4").type.slug == "unknown_file"


def test_a_file_of_somebody_else_that_a_node_names_is_not_handed_on(farm: Farm, tmp_path: Path) -> None:
    node = register(farm, caller=AGENT)
    ann = Caller(Role.SUBMITTER, name="ann")
    first, last = batch(farm, {}, {"input": "job:#0/a.mp4"}, caller=ann)
    put(farm, tmp_path, owner="bob")
    finish(farm, must_claim(farm, node), findings=made())
    assert claim(farm, node) is None
    assert status(farm, first, last) == ["completed", "failed"]


def test_a_retry_by_hand_depends_on_the_newest_retry_of_each(farm: Farm, node: str) -> None:
    first, other = submit(farm), submit(farm)
    last = submit(farm, depends_on=[other], input=f"job:{first}/a.mp4")
    finish(farm, must_claim(farm, node), JobStatus.FAILED, error=Failure("encoder_error", "no"))
    with pytest.raises(Problem) as problem:
        jobs.retry(farm, OPERATOR, last)
    assert (problem.value.type.slug, problem.value.extra["job_id"]) == ("dependency_failed", first)
    again = jobs.retry(farm, OPERATOR, first).job.id
    newer = jobs.retry(farm, OPERATOR, last).job
    assert (newer.depends_on, newer.input, newer.retry_of) == ((again, other), f"job:{again}/a.mp4", last)
    cancel(farm, again)
    newest = jobs.retry(farm, OPERATOR, again).job.id
    assert jobs.retry(farm, OPERATOR, last).job.depends_on == (newest, other)


def test_a_retry_that_failed_does_not_hide_the_job_that_was_completed(farm: Farm, node: str) -> None:
    first = submit(farm)
    last = submit(farm, depends_on=[first])
    finish(farm, must_claim(farm, node))
    cancel(farm, jobs.retry(farm, OPERATOR, first).job.id)
    cancel(farm, last)
    assert jobs.retry(farm, OPERATOR, last).job.depends_on == (first,)


def test_a_job_that_depends_on_a_family_waits_for_all_of_it(farm: Farm) -> None:
    node = register(farm, caller=AGENT, output_roots=["out"], max_concurrent_jobs=8)
    parent = submit(farm, parameters=LADDER)
    last = submit(farm, depends_on=[parent])
    divide(farm, node, parent)
    for view in [must_claim(farm, node) for _ in range(3)]:
        finish(farm, view)
    joining = must_claim(farm, node)
    assert status(farm, last) == ["pending"]
    assert claim(farm, node) is None
    finish(farm, joining)
    assert must_claim(farm, node).job.id == last


def test_a_part_that_fails_fails_what_depends_on_its_parent(farm: Farm) -> None:
    node = register(farm, caller=AGENT, output_roots=["out"])
    parent = submit(farm, parameters=LADDER)
    last = submit(farm, depends_on=[parent])
    cancel(farm, divide(farm, node, parent)[1].id)
    assert status(farm, parent, last) == ["failed", "failed"]


def test_parts_that_are_known_at_once_wait_with_their_parent_and_end_with_it(farm: Farm) -> None:
    one, _ = register(farm, caller=AGENT, max_concurrent_jobs=8), register(farm, caller=AGENT)
    first = submit(farm)
    parent = submit(farm, parameters=TARGET, depends_on=[first])
    probes = [each.id for each in parts(farm, parent)]
    assert len(probes) == 2
    view = must_claim(farm, one)
    assert claim(farm, one) is None
    finish(farm, view)
    for _ in probes:
        finish(farm, must_claim(farm, one))
    assert must_claim(farm, one).job.id == parent
    second = submit(farm)
    other = submit(farm, parameters=TARGET, depends_on=[second])
    cancel(farm, second)
    assert status(farm, other, *(each.id for each in parts(farm, other))) == [
        "failed",
        "canceled",
        "canceled",
    ]


def test_a_job_that_unfinished_ones_depend_on_is_not_archived(
    farm: Farm, node: str, clock: FakeClock
) -> None:
    first, other = submit(farm), submit(farm)
    last = submit(farm, depends_on=[first])
    finish(farm, must_claim(farm, node))
    finish(farm, must_claim(farm, node))
    archive = Retention(farm, archive_entry)
    archive.round(clock.now.wall + timedelta(seconds=1), clock.now)
    assert set(all_jobs(farm)) == {first, last}
    with farm.store.transaction(clock.now) as tx:
        assert tx.finished_before(clock.now.wall + timedelta(seconds=1), 10) == ([], 0)
    finish(farm, must_claim(farm, node))
    archive.round(clock.now.wall + timedelta(seconds=1), clock.now)
    assert not all_jobs(farm)
    assert refused(farm, depends_on=[other]).type.slug == "unknown_job"


def test_a_family_stays_while_an_unfinished_job_depends_on_one_of_its_parts(
    farm: Farm, clock: FakeClock
) -> None:
    node = register(farm, caller=AGENT, output_roots=["out"], max_concurrent_jobs=8)
    parent = submit(farm, parameters=LADDER)
    part = divide(farm, node, parent)[0].id
    views = [must_claim(farm, node) for _ in range(3)]
    last = submit(farm, depends_on=[part, submit(farm)])
    for view in views:
        finish(farm, view)
    view = must_claim(farm, node)
    assert view.job.id == parent
    finish(farm, view)
    old = clock.now.wall + timedelta(seconds=1)
    Retention(farm, archive_entry).round(old, clock.now)
    assert len(all_jobs(farm)) == 6
    cancel(farm, last)
    Retention(farm, archive_entry).round(old, clock.now)
    assert len(all_jobs(farm)) == 1


def test_nothing_can_come_to_depend_on_a_job_that_is_being_archived(
    farm: Farm, node: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = submit(farm)
    finish(farm, must_claim(farm, node))
    seen: list[str] = []
    add = farm.archive.add

    def meanwhile(*args: Any) -> None:
        seen.append(refused(farm, depends_on=[first]).detail)
        add(*args)

    monkeypatch.setattr(farm.archive, "add", meanwhile)
    Retention(farm, archive_entry).round(clock.now.wall + timedelta(seconds=1), clock.now)
    assert "is moving to the archive" in seen[0]


@pytest.mark.parametrize("fold", [False, True])
def test_a_killed_master_knows_again_who_waits_for_whom(
    farm: Farm, tmp_path: Path, clock: FakeClock, fold: bool
) -> None:
    node = register(farm, caller=AGENT, max_concurrent_jobs=8)
    first, second = submit(farm), submit(farm)
    last = submit(farm, depends_on=[first, second])
    finish(farm, must_claim(farm, node))
    view = must_claim(farm, node)
    crash(farm.store)
    again = make_farm(tmp_path, clock)
    if fold:
        snapshot.fold(tmp_path / "journal", embedded(again)._journal.number - 1)
        crash(again.store)
        again = make_farm(tmp_path, clock)
    assert job(again, last).pending_reason == f"waits for 1 of 2 jobs: {second}"
    finish(again, view)
    assert must_claim(again, node).job.id == last


def test_who_waits_for_a_job_that_a_damaged_journal_lost_hears_of_it(
    farm: Farm, node: str, tmp_path: Path, clock: FakeClock
) -> None:
    lost, there = submit(farm), submit(farm)
    last, fine = submit(farm, depends_on=[lost]), submit(farm, depends_on=[there])
    with farm.store.transaction(clock.now) as tx:  # as if one had never been submitted, and one end was lost
        tx.record([events.JobArchived(lost, clock.now.wall)])
        found = tx.job(there)
        assert found is not None
        tx.record(
            [
                events.JobClaimed(there, clock.now.wall, node, "lease", 1),
                events.JobCompleted(there, clock.now.wall, node, {}, {}, "digest"),
            ]
        )
    crash(farm.store)
    again = make_farm(tmp_path, clock)
    again.begin()
    error = job(again, last).job.error
    assert error is not None
    assert "was lost with a damaged journal" in error.message
    assert must_claim(again, node).job.id == fine


def test_a_fan_in_of_many_and_a_long_chain_are_followed_to_the_end(farm: Farm) -> None:
    first = batch(farm, *({} for _ in range(1000)))
    last = submit(farm, depends_on=first)
    line = batch(farm, {"depends_on": [last]}, *({"depends_on": [f"#{n}"]} for n in range(999)))
    reason = job(farm, last).pending_reason
    assert reason is not None
    assert reason.startswith("waits for 1000 of 1000 jobs: ")
    assert reason.endswith("and 997 more")
    cancel(farm, first[500])
    assert status(farm, last, line[0], line[-1]) == ["failed"] * 3
    assert status(farm, first[0]) == ["pending"]
    error = job(farm, line[-1]).job.error
    assert error is not None
    assert first[500] in error.message


def test_jobs_are_listed_by_what_they_depend_on(farm: Farm) -> None:
    first = submit(farm)
    ids = [submit(farm, depends_on=[first]) for _ in range(3)]
    cancel(farm, ids[0])
    found, count = jobs.page(farm, OPERATOR, None, None, 10, depends_on=first)
    assert ([view.job.id for view in found], count) == ([ids[1], ids[2], ids[0]], 3)
    assert jobs.page(farm, OPERATOR, JobStatus.CANCELED, None, 10, depends_on=first)[1] == 1
