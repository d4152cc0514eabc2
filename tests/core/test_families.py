"""A job is divided into parts, waits for them, and ends with them: completed, failed or canceled as one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from common.model import Artifact, ArtifactKind, Failure, Findings, JobStatus, Progress, Stage
from common.problems import Problem
from common.schema import SubmitSchema
from master.api.documents import archive_entry, claim_document
from master.lifecycle import commands, events
from master.service import jobs, nodes, work
from master.service.farm import Farm
from master.service.retention import Retention
from master.submission import Key
from tests.core.support import (
    AGENT,
    LADDER,
    OPERATOR,
    SOURCE,
    FakeClock,
    all_jobs,
    claim,
    crash,
    divide,
    finish,
    job,
    make_farm,
    must_claim,
    parts,
    register,
    submit,
)


def statuses(farm: Farm, parent_id: str) -> list[str]:
    return [str(part.status) for part in parts(farm, parent_id)]


def cancel(farm: Farm, job_id: str) -> None:
    jobs.change(farm, OPERATOR, job_id, commands.Cancel())


def test_the_parts_follow_from_what_the_node_found_in_the_input(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT, output_roots=["out"])
    parent_id = submit(farm, parameters={**LADDER, "preset": "fast"}, output="media:out/a", priority="high")
    found = divide(farm, node_id, parent_id)
    assert [(each.part, each.output) for each in found] == [
        ("180p", "media:out/a/180p"),
        ("120p", "media:out/a/120p"),
        ("90p", "media:out/a/90p"),
    ]
    assert {(each.parent_id, each.priority, each.stage) for each in found} == {(parent_id, "high", "encode")}
    assert found[1].parameters == {
        "preset": "fast",
        "container": "hls",
        "segment_seconds": 6.0,
        "gop": 180,
        "width": 214,
        "height": 120,
        "bitrate": "150000",
    }
    parent = job(farm, parent_id)
    assert (parent.job.status, parent.job.stage) == (JobStatus.PENDING, Stage.JOIN)
    assert parent.pending_reason == "waits for its parts: 0 of 3 completed"


def test_a_parent_is_joined_once_all_parts_are_completed_and_not_before(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT, max_concurrent_jobs=4)
    parent_id = submit(farm, parameters=LADDER)
    divide(farm, node_id, parent_id)
    first, second, third = (must_claim(farm, node_id) for _ in range(3))
    assert claim(farm, node_id) is None
    finish(farm, third)
    finish(farm, first)
    assert job(farm, parent_id).pending_reason == "waits for its parts: 2 of 3 completed"
    assert claim(farm, node_id) is None
    finish(farm, second)
    joining = must_claim(farm, node_id)
    assert (joining.job.id, joining.job.stage, joining.job.attempts[-1].number) == (parent_id, Stage.JOIN, 2)
    assert [part["part"] for part in claim_document(joining)["parts"]] == ["180p", "120p", "90p"]
    finish(farm, joining)
    assert job(farm, parent_id).job.status is JobStatus.COMPLETED


def test_a_waiting_parent_is_as_far_as_its_parts(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT, max_concurrent_jobs=4)
    parent_id = submit(farm, parameters=LADDER)
    divide(farm, node_id, parent_id)
    finish(farm, must_claim(farm, node_id))
    lease = must_claim(farm, node_id).job.lease
    assert lease is not None
    half = Progress(percent=50.0)
    work.progress(farm, OPERATOR, parts(farm, parent_id)[1].id, node_id, lease.lease_id, half, [])
    progress = job(farm, parent_id).progress
    assert progress is not None
    assert progress.percent == 50.0


def test_what_is_left_of_a_waiting_parent_runs_down_between_two_reports_of_its_parts(
    farm: Farm, clock: FakeClock
) -> None:
    node_id = register(farm, caller=AGENT, max_concurrent_jobs=4)
    parent_id = submit(farm, parameters=LADDER)
    divide(farm, node_id, parent_id)
    for _ in range(3):
        view = must_claim(farm, node_id)
        assert view.job.lease is not None
        half = Progress(percent=50.0, seconds_left=8.0)
        work.progress(farm, OPERATOR, view.job.id, node_id, view.job.lease.lease_id, half, [])
    seen = []
    for _ in range(2):
        progress = job(farm, parent_id).progress
        assert progress is not None
        seen.append((progress.percent, progress.seconds_left))
        clock.advance(2)
    assert seen == [(50.0, 9.0), (62.5, 7.0)]  # a second for their joining


def test_parts_go_where_their_parent_goes_in_the_queue(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT, output_roots=["out"])
    parent_id = submit(farm, parameters=LADDER)
    later = submit(farm)
    divide(farm, node_id, parent_id)
    order = []
    for _ in range(5):
        view = must_claim(farm, node_id)
        order.append(view.job.part or view.job.id)
        finish(farm, view)
    assert order == ["180p", "120p", "90p", parent_id, later]


def test_the_result_has_the_artifacts_of_all_and_what_they_took_together(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT, output_roots=["out"])
    parent_id = submit(farm, parameters=LADDER)
    divide(farm, node_id, parent_id)
    for height in (180, 120, 90):
        video = Artifact("a.m4s", ArtifactKind.SEGMENT, "video/mp4", 5, "0" * 64, None)
        finish(
            farm,
            must_claim(farm, node_id),
            metrics={"height": height, "frames": 60, "cpu_seconds": 1.5, "speed": 2.0, "cost": None},
            findings=Findings(artifacts=(video,), warnings=("it is damaged",)),
        )
    playlist = Artifact("master.m3u8", ArtifactKind.PLAYLIST, "application/vnd.apple.mpegurl", 5, "1" * 64)
    finish(farm, must_claim(farm, node_id), metrics={}, findings=Findings(artifacts=(playlist,)))
    result = job(farm, parent_id).job
    assert result.metrics is not None
    wanted = ("height", "frames", "cpu_seconds", "speed", "cost", "source_duration")
    assert [result.metrics[name] for name in wanted] == [180, 60, 4.5, None, None, 2.0]
    assert [each.path for each in result.findings.artifacts] == [
        "master.m3u8",
        "180p/a.m4s",
        "120p/a.m4s",
        "90p/a.m4s",
    ]
    assert result.findings.warnings[0] == "180p: it is damaged"


def test_a_part_that_fails_for_good_fails_its_parent_and_ends_its_siblings(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT, max_concurrent_jobs=4)
    parent_id = submit(farm, parameters=LADDER)
    divide(farm, node_id, parent_id)
    finish(farm, must_claim(farm, node_id))
    second = must_claim(farm, node_id)
    must_claim(farm, node_id)
    finish(farm, second, JobStatus.FAILED, error=Failure("encoder_error", "no such option"))
    parent = job(farm, parent_id).job
    assert parent.error == Failure("encoder_error", "part 120p: no such option")
    assert (parent.status, statuses(farm, parent_id)) == ("failed", ["completed", "failed", "canceled"])
    assert claim(farm, node_id) is None


def test_a_part_that_is_tried_again_keeps_its_parent_waiting(farm: Farm, clock: FakeClock) -> None:
    node_id = register(farm, caller=AGENT, output_roots=["out"])
    parent_id = submit(farm, parameters=LADDER)
    divide(farm, node_id, parent_id)
    finish(farm, must_claim(farm, node_id), JobStatus.FAILED, error=Failure("disk_full", "no space"))
    assert job(farm, parent_id).job.status is JobStatus.PENDING
    clock.advance(6)
    work.reap(farm)
    for _ in range(4):
        finish(farm, must_claim(farm, node_id))
    assert job(farm, parent_id).job.status is JobStatus.COMPLETED


def test_a_node_that_is_lost_with_two_parts_fails_the_parent_once(tmp_path: Path, clock: FakeClock) -> None:
    farm = make_farm(tmp_path, clock, max_attempts=1)
    node_id = register(farm, caller=AGENT, max_concurrent_jobs=2)
    parent_id = submit(farm, parameters=LADDER)
    divide(farm, node_id, parent_id)
    must_claim(farm, node_id)
    must_claim(farm, node_id)
    nodes.remove(farm, OPERATOR, node_id)
    assert statuses(farm, parent_id) == ["failed", "failed", "canceled"]
    assert job(farm, parent_id).job.status is JobStatus.FAILED


def test_cancelling_the_parent_cancels_all_that_is_unfinished(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT, output_roots=["out"])
    parent_id = submit(farm, parameters=LADDER)
    divide(farm, node_id, parent_id)
    finish(farm, must_claim(farm, node_id))
    must_claim(farm, node_id)
    cancel(farm, parent_id)
    assert statuses(farm, parent_id) == ["completed", "canceled", "canceled"]


def test_cancelling_a_part_fails_its_parent(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT, output_roots=["out"])
    parent_id = submit(farm, parameters=LADDER)
    cancel(farm, divide(farm, node_id, parent_id)[2].id)
    parent = job(farm, parent_id).job
    assert parent.status is JobStatus.FAILED
    assert parent.error == Failure("canceled", "part 90p: canceled by an operator")


def test_pausing_the_parent_holds_back_the_parts_that_wait_also_one_that_comes_back(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT, output_roots=["out"])
    parent_id = submit(farm, parameters=LADDER)
    divide(farm, node_id, parent_id)
    running = must_claim(farm, node_id)
    jobs.change(farm, OPERATOR, parent_id, commands.PauseJob())
    assert statuses(farm, parent_id) == ["running", "paused", "paused"]
    assert running.job.lease is not None
    work.release(farm, OPERATOR, running.job.id, node_id, running.job.lease.lease_id)
    assert statuses(farm, parent_id) == ["paused", "paused", "paused"]
    jobs.change(farm, OPERATOR, parent_id, commands.ResumeJob())
    assert statuses(farm, parent_id) == ["pending", "pending", "pending"]


def test_a_retry_makes_a_whole_new_family_and_a_part_has_none(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT, output_roots=["out"])
    parent_id = submit(farm, parameters=LADDER)
    part_id = divide(farm, node_id, parent_id)[0].id
    cancel(farm, parent_id)
    with pytest.raises(Problem, match="Retry that one") as refused:
        jobs.retry(farm, OPERATOR, part_id)
    assert refused.value.type.slug == "part_of_job"
    again = jobs.retry(farm, OPERATOR, parent_id).job
    assert (again.stage, again.parts, again.retry_of) == (Stage.PLAN, (), parent_id)
    assert {part.id for part in divide(farm, node_id, again.id)}.isdisjoint({part_id})


def test_a_plan_that_says_too_little_is_a_failed_attempt(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT, output_roots=["out"])
    parent_id = submit(farm, parameters=LADDER)
    finish(farm, must_claim(farm, node_id), metrics={"frames": 300})
    found = job(farm, parent_id).job
    assert (found.status, found.error and found.error.code) == (JobStatus.PENDING, "output_invalid")


def test_a_plan_that_is_reported_twice_divides_once(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT, output_roots=["out"])
    parent_id = submit(farm, parameters=LADDER)
    view = must_claim(farm, node_id)
    finish(farm, view, metrics=SOURCE)
    finish(farm, view, metrics=SOURCE)
    assert len(parts(farm, parent_id)) == 3


def test_too_many_jobs_do_not_break_a_family_in_the_middle(tmp_path: Path, clock: FakeClock) -> None:
    farm = make_farm(tmp_path, clock, max_pending_jobs=2)
    node_id = register(farm, caller=AGENT, output_roots=["out"])
    parent_id = submit(farm, parameters=LADDER)
    submit(farm)
    assert len(divide(farm, node_id, parent_id)) == 3


def test_an_idempotency_key_names_the_parent_alone(farm: Farm) -> None:
    node_id = register(farm, caller=AGENT, output_roots=["out"])
    key = Key("once", "digest")
    fields = SubmitSchema().load({"scenario": "720p-h264", "parameters": LADDER})
    parent_id = jobs.submit(farm, OPERATOR, fields, key).job.id
    divide(farm, node_id, parent_id)
    assert jobs.submit(farm, OPERATOR, fields, key).job.id == parent_id


def test_a_family_moves_to_the_archive_together(farm: Farm, clock: FakeClock) -> None:
    node_id = register(farm, caller=AGENT, output_roots=["out"])
    parent_id = submit(farm, parameters=LADDER)
    divide(farm, node_id, parent_id)
    finish(farm, must_claim(farm, node_id))
    clock.advance(90_000)
    archive = Retention(farm, archive_entry)
    archive.round(clock.now.wall, clock.now)
    assert len(parts(farm, parent_id)) == 3  # one is old, but its parent is not finished
    nodes.heartbeat(farm, OPERATOR, node_id, None)
    for _ in range(3):
        finish(farm, must_claim(farm, node_id))
    archive.round(clock.now.wall + timedelta(seconds=1), clock.now)
    assert not all_jobs(farm)
    day = clock.now.wall.date()
    archived = [entry["job"]["part"] for entries in farm.archive.entries(day) for entry in entries]
    assert set(archived) == {None, "180p", "120p", "90p"}


def test_who_waits_for_a_part_that_a_damaged_journal_lost_hears_of_it(
    farm: Farm, tmp_path: Path, clock: FakeClock
) -> None:
    node_id = register(farm, caller=AGENT, output_roots=["out"])
    parent_id = submit(farm, parameters=LADDER)
    lost, *_ = divide(farm, node_id, parent_id)
    with farm.store.transaction(clock.now) as tx:  # as if it had never been submitted
        tx.record([events.JobArchived(lost.id, clock.now.wall)])
    crash(farm.store)
    again = make_farm(tmp_path, clock)
    again.begin()
    error = job(again, parent_id).job.error
    assert error is not None
    assert "part 180p was lost" in error.message
    assert statuses(again, parent_id) == ["canceled", "canceled"]
