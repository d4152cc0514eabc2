"""A file that is split is planned, encoded in chunks and joined; or, where it cannot be, encoded whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from common.model import Artifact, ArtifactKind, Divisible, Failure, Findings, JobStatus, Progress, Stage
from common.version import PROTOCOL
from master.api.documents import claim_document
from master.lifecycle import commands
from master.service import Caller, JobView, jobs, work
from master.service.farm import Farm
from tests.core.support import (
    AGENT,
    FRAMES,
    OPERATOR,
    FakeClock,
    claim,
    divisible,
    embedded,
    finish,
    job,
    must_claim,
    parts,
    register,
    submit,
)

FILE = f"file:{'a' * 64}"
SPLIT: dict[str, Any] = {"split": 4, "crf": 23, "pictures": True}


@pytest.fixture
def node_id(farm: Farm) -> str:
    return node(farm)


def node(farm: Farm, caller: Caller = AGENT, **more: Any) -> str:
    return register(farm, caller=caller, media_roots=["films"], max_concurrent_jobs=20, **more)


def split(farm: Farm, parameters: dict[str, Any] = SPLIT, **more: Any) -> str:
    return submit(farm, input="media:films/a.mp4", parameters=parameters, **more)


def plan(farm: Farm, node_id: str, found: Divisible | None = None, warnings: tuple[str, ...] = ()) -> JobView:
    view = must_claim(farm, node_id)
    assert view.job.stage is Stage.PLAN
    findings = Findings(divisible=divisible() if found is None else found, warnings=warnings)
    finish(farm, view, findings=findings)
    return view


def names(views: list[JobView]) -> list[str | None]:
    return [view.job.part for view in views]


def finish_all(farm: Farm, node_id: str, **metrics: Any) -> list[JobView]:
    """Have one node complete all that it is given, up to the join; that is given, and not finished."""
    done = []
    while (view := must_claim(farm, node_id)).job.stage is not Stage.JOIN:
        finish(farm, view, metrics={"frames": 1, **metrics})
        done.append(view)
    return [*done, view]


def test_a_plan_divides_the_file_into_chunks_and_its_sound(farm: Farm, node_id: str) -> None:
    parent_id = split(farm, output="media:out/a.mp4")
    parent = job(farm, parent_id).job
    assert (parent.stage, parent.constraints.protocol) == (Stage.PLAN, PROTOCOL)
    register(farm, caller=AGENT, media_roots=["films"], output_roots=["out"])
    planner = node(farm, output_roots=["out"])
    plan(farm, planner)
    parent = job(farm, parent_id).job
    assert parent.parts == ("chunk-001", "chunk-002", "chunk-003", "chunk-004", "sound")
    assert (parent.stage, parent.attempts_used) == (Stage.JOIN, 0)
    assert job(farm, parent_id).pending_reason == "waits for its parts: 0 of 4 chunks completed"
    found = {each.part: each for each in parts(farm, parent_id)}
    assert {each.parameters["crf"] for each in found.values()} == {23}
    assert not any({"split", "pictures"} & set(each.parameters) for each in found.values())
    assert {each.output for each in found.values()} == {"files"}
    assert {each.constraints.output for each in found.values()} == {None}
    assert {each.constraints.input for each in found.values()} == {"media:films"}
    assert {each.stage for each in found.values()} == {Stage.CHUNK, Stage.SOUND}
    assert found["sound"].window is None
    chunks = [found[f"chunk-00{n}"].window for n in range(1, 5)]
    assert next(each.first for each in chunks if each) == 0
    assert [each.end for each in chunks if each][-1] == FRAMES


@pytest.mark.parametrize(
    ("name", "asked", "container"),
    [("a.mkv", {}, "mkv"), ("a", {"container": "hls"}, "hls"), ("a", {}, None)],
)
def test_parts_are_made_for_the_container_that_the_output_says(
    farm: Farm, name: str, asked: dict[str, Any], container: str | None
) -> None:
    planner = node(farm, output_roots=["out"])
    parent_id = split(farm, {**SPLIT, **asked}, output=f"media:out/{name}")
    plan(farm, planner)
    assert {each.parameters.get("container") for each in parts(farm, parent_id)} == {container}
    assert job(farm, parent_id).job.parameters.get("container") == asked.get("container")


def test_the_most_work_is_queued_first_and_the_sound_before_it(farm: Farm, node_id: str) -> None:
    parent_id = split(farm)
    plan(farm, node_id)
    sizes = [each.window.end - each.window.first for each in parts(farm, parent_id) if each.window]
    assert parts(farm, parent_id)[0].part == "sound"
    assert sizes == sorted(sizes, reverse=True)


def test_after_that_the_cuts_are_forgotten_and_what_is_known_of_the_input_is_not(
    farm: Farm, node_id: str
) -> None:
    parent_id = split(farm)
    plan(farm, node_id)
    assert job(farm, parent_id).job.findings.divisible == divisible(cuts=())


def test_chunks_read_the_input_where_it_was_put_for_them(farm: Farm, node_id: str) -> None:
    parent_id = split(farm)
    plan(farm, node_id, divisible(input=FILE))
    assert {(each.input, each.constraints.input) for each in parts(farm, parent_id)} == {(FILE, "file:")}


def test_where_there_is_only_a_picture_there_is_no_part_for_the_sound(farm: Farm, node_id: str) -> None:
    parent_id = split(farm)
    plan(farm, node_id, divisible(others=False))
    assert {each.stage for each in parts(farm, parent_id)} == {Stage.CHUNK}


@pytest.mark.parametrize(("nodes", "wanted"), [(1, True), (2, False)])
def test_a_plan_puts_the_input_into_the_store_unless_two_nodes_see_it(
    farm: Farm, nodes: int, *, wanted: bool
) -> None:
    found = [node(farm) for _ in range(nodes)]
    register(farm, caller=AGENT)
    split(farm)
    assert claim_document(must_claim(farm, found[0]))["hand_on"] is wanted


def test_a_chunk_is_claimed_with_its_frames_and_what_is_known_of_the_whole(farm: Farm, node_id: str) -> None:
    split(farm)
    plan(farm, node_id)
    claimed = [claim_document(must_claim(farm, node_id)) for _ in range(5)]
    assert {each["source"] for each in claimed} == {'{"width": 320}'}
    assert {each["hand_on"] for each in claimed} == {False}
    assert [each["part"] for each in claimed if each["window"] is None] == ["sound"]
    assert sum(each["window"]["end"] - each["window"]["first"] for each in claimed[1:]) == FRAMES


def test_a_join_gets_its_parts_in_the_order_of_the_film(farm: Farm, node_id: str) -> None:
    split(farm)
    plan(farm, node_id)
    joining = claim_document(finish_all(farm, node_id)[-1])
    assert [each["part"] for each in joining["parts"]] == [
        "chunk-001",
        "chunk-002",
        "chunk-003",
        "chunk-004",
        "sound",
    ]
    assert [each["stage"] for each in joining["parts"]] == ["chunk"] * 4 + ["sound"]
    firsts = [each["window"]["first"] for each in joining["parts"] if each["window"]]
    assert firsts == sorted(firsts)
    assert joining["source"] == '{"width": 320}'


@pytest.mark.parametrize("parameters", [{"bitrate": "1M"}, {"bitrate": "1M", "two_pass": True}, {}])
def test_where_bits_are_given_each_chunk_depends_on_looks_at_all(
    farm: Farm, node_id: str, parameters: dict[str, Any]
) -> None:
    parent_id = split(farm, {"split": 3, **parameters})
    plan(farm, node_id)
    assert job(farm, parent_id).job.parts[:4] == ("look-001", "look-002", "look-003", "chunk-001")
    found = parts(farm, parent_id)
    looks = [each for each in found if each.stage is Stage.LOOK]
    chunks = [each for each in found if each.stage is Stage.CHUNK]
    assert all(set(each.depends_on) == {look.id for look in looks} for each in chunks)
    assert {each.awaits_jobs for each in chunks} == {True}
    assert {each.window for each in looks} == {each.window for each in chunks}
    given = [must_claim(farm, node_id).job.stage for _ in range(4)]
    assert given == [Stage.LOOK] * 3 + [Stage.SOUND]
    assert claim(farm, node_id) is None


def test_of_a_bitrate_there_are_no_more_chunks_than_can_be_looked_at(farm: Farm, node_id: str) -> None:
    parent_id = split(farm, {"split": 500, "bitrate": "1M"})
    plan(farm, node_id)
    assert 90 < sum(each.stage is Stage.LOOK for each in parts(farm, parent_id)) <= 100


def test_the_result_is_what_the_join_says_and_what_all_took(
    farm: Farm, node_id: str, clock: FakeClock
) -> None:
    parent_id = split(farm, {"split": 2, "target_vmaf": 90})
    plan(farm, node_id, warnings=("it is odd",))
    clock.advance(10)
    sound, first, second = (must_claim(farm, node_id) for _ in range(3))
    clock.advance(20)
    used = {"cpu_seconds": 10.0, "peak_memory_bytes": 50, "encoder": "libx264", "energy_joules": 5.0}
    finish(farm, sound, metrics={**used, "encoder": None})
    said = Findings(warnings=("it is dark",))
    finish(farm, first, metrics={**used, "crf": 20.0, "peak_memory_bytes": 70}, findings=said)
    finish(farm, second, metrics={**used, "crf": 24.0, "energy_joules": None})
    joining = must_claim(farm, node_id)
    clock.advance(5)
    video = Artifact("a.mp4", ArtifactKind.VIDEO, "video/mp4", 5, "0" * 64)
    own = {"frames": FRAMES, "duration": 120.0, "cpu_seconds": 1.0, "output_bytes": 5, "wall_seconds": 5.0}
    finish(farm, joining, metrics=own, findings=Findings(artifacts=(video,)))
    result = job(farm, parent_id).job
    metrics = result.metrics or {}
    assert [metrics[name] for name in ("frames", "duration", "output_bytes", "chunks")] == [
        FRAMES,
        120.0,
        5,
        2,
    ]
    assert (metrics["cpu_seconds"], metrics["peak_memory_bytes"]) == (31.0, 70)
    assert metrics["energy_joules"] is None  # one of them does not know
    assert (metrics["crf"], metrics["crf_min"], metrics["crf_max"]) == (None, 20.0, 24.0)
    assert (metrics["encoder"], metrics["wall_seconds"], metrics["speed"]) == ("libx264", 25.0, 4.8)
    assert result.findings.artifacts == (video,)
    assert sorted(result.findings.warnings) == sorted(["it is odd", f"{first.job.part}: it is dark"])
    assert result.findings.divisible is None


def test_a_file_whose_chunks_were_looked_at_before_had_two_passes(farm: Farm, node_id: str) -> None:
    parent_id = split(farm, {"split": 2, "bitrate": "1M"})
    plan(farm, node_id)
    share = 900_000
    while (view := must_claim(farm, node_id)).job.stage is not Stage.JOIN:
        share += 50_000
        chunk = view.job.stage is Stage.CHUNK
        finish(farm, view, metrics={"passes": 2, "bitrate_asked": share} if chunk else {})
    finish(farm, view, metrics={"passes": 1, "bitrate_asked": 1_000_000})
    metrics = job(farm, parent_id).job.metrics or {}
    assert (metrics["passes"], metrics["bitrate_asked"]) == (2, 1_000_000)


@pytest.mark.parametrize(
    ("asked", "found", "why"),
    [
        ("auto", Divisible("it is interlaced"), "it is interlaced"),
        ("auto", divisible(end=600, frames=600, cuts=divisible().cuts[:20]), "24.0 s are too short"),
        (4, divisible(cuts=divisible().cuts[:1]), "there is no place where it could be cut"),
    ],
)
def test_what_cannot_be_divided_is_encoded_whole_and_says_why(
    farm: Farm, node_id: str, asked: object, found: Divisible, why: str
) -> None:
    parent_id = split(farm, {"split": asked, "crf": 23})
    plan(farm, node_id, found, warnings=("it is odd",))
    encoding = must_claim(farm, node_id)
    assert (encoding.job.id, encoding.job.stage, encoding.job.parts) == (parent_id, Stage.ENCODE, ())
    assert (encoding.job.attempts[0].outcome, encoding.job.attempts_used) == ("divided", 1)
    finish(farm, encoding, findings=Findings(warnings=("it is dark",)))
    result = job(farm, parent_id).job
    assert result.status is JobStatus.COMPLETED
    assert (
        str((result.metrics or {})["split_note"]).removeprefix("The input is encoded whole: ").startswith(why)
    )
    assert result.findings.warnings[:2] == ("it is odd", "it is dark")
    assert why in result.findings.warnings[2]


def test_a_whole_encode_that_fails_is_not_planned_again(farm: Farm, node_id: str, clock: FakeClock) -> None:
    parent_id = split(farm)
    plan(farm, node_id, Divisible("it is interlaced"))
    finish(farm, must_claim(farm, node_id), JobStatus.FAILED, error=Failure("disk_full", "no space"))
    clock.advance(6)
    work.reap(farm)
    again = must_claim(farm, node_id).job
    assert (again.id, again.stage, again.attempts_used) == (parent_id, Stage.ENCODE, 2)


def test_a_plan_that_says_nothing_of_cuts_is_a_failed_attempt(farm: Farm, node_id: str) -> None:
    parent_id = split(farm)
    finish(farm, must_claim(farm, node_id))
    found = job(farm, parent_id).job
    assert (found.status, found.error and found.error.code) == (JobStatus.PENDING, "output_invalid")


def test_a_chunk_that_fails_for_good_fails_the_file_and_ends_the_other_chunks(
    farm: Farm, node_id: str
) -> None:
    parent_id = split(farm)
    plan(farm, node_id)
    must_claim(farm, node_id)
    chunk = must_claim(farm, node_id)
    finish(farm, chunk, JobStatus.FAILED, error=Failure("encoder_error", "no such option"))
    failed = job(farm, parent_id).job
    assert failed.error == Failure("encoder_error", f"part {chunk.job.part}: no such option")
    assert {each.status for each in parts(farm, parent_id)} == {JobStatus.FAILED, JobStatus.CANCELED}
    assert claim(farm, node_id) is None


def test_a_canceled_file_ends_all_its_chunks_also_those_that_wait_for_looks(farm: Farm, node_id: str) -> None:
    parent_id = split(farm, {"split": 3, "bitrate": "1M"})
    plan(farm, node_id)
    must_claim(farm, node_id)
    jobs.change(farm, OPERATOR, parent_id, commands.Cancel())
    assert {each.status for each in parts(farm, parent_id)} == {JobStatus.CANCELED}


def test_only_the_chunk_of_a_node_that_is_gone_is_encoded_again(farm: Farm, node_id: str) -> None:
    parent_id = split(farm)
    plan(farm, node_id)
    lost = must_claim(farm, node_id)
    lease = lost.job.lease
    assert lease is not None
    work.release(farm, OPERATOR, lost.job.id, node_id, lease.lease_id)
    finish(farm, finish_all(farm, node_id)[-1])
    assert job(farm, parent_id).job.status is JobStatus.COMPLETED
    attempts = {each.part: len(each.attempts) for each in parts(farm, parent_id)}
    assert attempts == {**dict.fromkeys(attempts, 1), lost.job.part: 2}


def test_a_retry_plans_anew(farm: Farm, node_id: str) -> None:
    parent_id = split(farm)
    plan(farm, node_id)
    jobs.change(farm, OPERATOR, parent_id, commands.Cancel())
    again = jobs.retry(farm, OPERATOR, parent_id).job
    assert (again.stage, again.parts, again.findings.divisible) == (Stage.PLAN, (), None)


def test_older_agents_never_get_a_part_of_it(farm: Farm) -> None:
    old = node(farm, replace(AGENT, protocol=PROTOCOL - 1))
    parent_id = split(farm)
    assert claim(farm, old) is None
    plan(farm, node(farm))
    assert claim(farm, old) is None
    assert job(farm, parts(farm, parent_id)[0].id).job.constraints.protocol == PROTOCOL


def test_a_waiting_file_is_as_far_as_the_work_of_its_chunks(
    farm: Farm, node_id: str, clock: FakeClock
) -> None:
    parent_id = split(farm, {"split": 2, "crf": 23})
    plan(farm, node_id, divisible(others=False))
    first = must_claim(farm, node_id)
    window = first.job.window
    assert window is not None
    clock.advance(10)
    finish(farm, first)
    second = must_claim(farm, node_id)
    lease = second.job.lease
    assert lease is not None
    clock.advance(10)
    how = Progress(percent=50.0, seconds_left=10.0)
    work.progress(farm, OPERATOR, second.job.id, node_id, lease.lease_id, how, [])
    seen = job(farm, parent_id)
    done = window.end - window.first + (FRAMES - (window.end - window.first)) / 2
    assert seen.pending_reason == "waits for its parts: 1 of 2 chunks completed"
    assert seen.progress is not None
    assert seen.progress.frame == int(done)
    size = sum(cut.work for cut in divisible().cuts)
    share = (window.end - window.first) / FRAMES / 2 + window.work / size / 2  # of the work of both
    assert seen.progress.percent == pytest.approx(100 * (1 + share) / 2 / 1.02, abs=0.01)
    assert seen.progress.seconds_left is not None
    assert 11 <= seen.progress.seconds_left <= 12.5  # 10 of the chunk, and the join


def test_chunks_begin_when_all_were_looked_at_and_get_what_was_seen(farm: Farm, node_id: str) -> None:
    split(farm, {"split": 3, "bitrate": "1M"})
    plan(farm, node_id, divisible(others=False))
    for look in [must_claim(farm, node_id) for _ in range(3)]:
        assert claim(farm, node_id) is None
        finish(farm, look)
    chunk = claim_document(must_claim(farm, node_id))
    assert chunk["stage"] == "chunk"
    assert sorted(each["part"] for each in chunk["parts"]) == ["look-001", "look-002", "look-003"]
    assert {each["stage"] for each in chunk["parts"]} == {"look"}


def test_finished_parts_do_not_keep_whom_they_waited_for(farm: Farm, node_id: str) -> None:
    parent_id = split(farm, {"split": 3, "bitrate": "1M"})
    plan(farm, node_id, divisible(others=False))
    for look in [must_claim(farm, node_id) for _ in range(3)]:
        finish(farm, look)
    first = must_claim(farm, node_id)
    looks = [each.id for each in parts(farm, parent_id) if each.stage is Stage.LOOK]
    assert job(farm, first.job.id).job.depends_on == tuple(looks)
    finish(farm, first)
    assert job(farm, first.job.id).job.depends_on == ()
    chains = embedded(farm)._state.chains
    assert first.job.id not in chains.dependents(looks[0])
    jobs.change(farm, OPERATOR, parent_id, commands.Cancel())
    assert {each.depends_on for each in parts(farm, parent_id)} == {()}
    assert [chains._of, chains._unmet, chains._keepers, chains._kept] == [{}, {}, {}, {}]
