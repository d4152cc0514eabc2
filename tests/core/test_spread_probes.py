"""Where several nodes could take them, the first probes of a search for a VMAF are parts of the job."""

from __future__ import annotations

from typing import Any

import pytest

from common.model import Confidence, Failure, Findings, Job, JobStatus, Stage
from common.schema import BatchSchema
from master.api.documents import claim_document
from master.lifecycle import commands
from master.service import jobs, nodes, work
from master.service.farm import Farm
from tests.core.support import (
    AGENT,
    OPERATOR,
    TARGET,
    FakeClock,
    claim,
    finish,
    job,
    must_claim,
    parts,
    register,
    submit,
)


def crowd(farm: Farm, count: int, **fields: Any) -> list[str]:
    return [register(farm, f"worker-{number}", AGENT, **fields) for number in range(count)]


def made(farm: Farm, **fields: Any) -> list[Job]:
    """The parts of a job with a target that is submitted now."""
    return parts(farm, submit(farm, **{"parameters": TARGET, **fields}))


@pytest.mark.parametrize(("count", "wanted"), [(0, 0), (1, 0), (2, 2), (3, 3), (4, 4), (9, 4)])
def test_there_are_as_many_parts_as_nodes_up_to_four_and_none_for_one(
    farm: Farm, count: int, wanted: int
) -> None:
    crowd(farm, count)
    assert len(made(farm)) == wanted


def test_only_nodes_that_are_there_and_could_run_it_count(farm: Farm) -> None:
    draining, gone, _ = crowd(farm, 3, labels={"site": "a"})
    crowd(farm, 3)
    nodes.change(farm, OPERATOR, draining, commands.Drain())
    nodes.change(farm, OPERATOR, gone, commands.Revoke())
    wanted = {"labels": {"site": "a"}}
    assert made(farm, constraints=wanted) == []
    crowd(farm, 1, labels={"site": "a"})
    assert len(made(farm, constraints=wanted)) == 2


def test_a_probe_needs_no_place_for_an_output_and_no_node_for_itself(farm: Farm) -> None:
    crowd(farm, 1, output_roots=["out"])
    crowd(farm, 1)
    parent_id = submit(
        farm,
        parameters={**TARGET, "energy": True, "preset": "fast", "quality": ["psnr"]},
        confidence="high",
        output="media:out/a.mp4",
        priority="high",
    )
    parent, found = job(farm, parent_id).job, parts(farm, parent_id)
    assert [(each.part, dict(each.parameters)) for each in found] == [
        ("crf-18", {"preset": "fast", "crf": 18.0}),
        ("crf-30", {"preset": "fast", "crf": 30.0}),
    ]
    for each in found:
        assert (each.stage, each.output, each.confidence) == (Stage.PROBE, None, Confidence.AUTO)
        assert (each.constraints.alone, each.constraints.output) == (False, None)
        assert (each.priority, each.turn[0], each.constraints.protocol) == ("high", parent.seq, 4)
    assert (parent.stage, parent.constraints.alone) == (Stage.ENCODE, True)


@pytest.mark.parametrize(
    "fields",
    [
        {"parameters": {**TARGET, "hwaccel": "auto"}},
        {"parameters": {**TARGET, "duration": 5}, "input": "rtmp://live.example.com/app/key"},
        {"parameters": {"crf": 20}},
    ],
    ids=["each node may use another encoder", "a live stream is another one each time", "no target"],
)
def test_what_has_no_probes_in_common_is_not_divided(farm: Farm, fields: dict[str, Any]) -> None:
    crowd(farm, 3, input_hosts=["rtmp://live.example.com"])
    assert made(farm, **fields) == []


def test_jobs_that_come_at_once_share_the_nodes(farm: Farm) -> None:
    crowd(farm, 4)
    fields = {"scenario": "720p-h264", "parameters": TARGET}
    for count, wanted in ((2, 2), (3, 0)):
        batch = BatchSchema().load({"jobs": [fields] * count})["jobs"]
        views = jobs.submit_batch(farm, OPERATOR, batch)
        assert [len(parts(farm, view.job.id)) for view in views] == [wanted] * count


def test_nodes_probe_at_the_same_time_and_the_encode_begins_from_what_they_found(farm: Farm) -> None:
    first, second = crowd(farm, 2)
    parent_id = submit(farm, parameters=TARGET)
    assert job(farm, parent_id).pending_reason == "waits for its parts: 0 of 2 completed"
    probes = [must_claim(farm, first), must_claim(farm, second)]
    assert [claim_document(view)["stage"] for view in probes] == ["probe", "probe"]
    finish(farm, probes[0], metrics={"crf": 18.0, "vmaf_mean": 97.0, "bitrate": 3e6})
    assert claim(farm, first) is None
    said = Findings(warnings=("samples of the input could not be measured: they are gone",))
    finish(farm, probes[1], metrics={"crf": 30.0, "vmaf_mean": None, "bitrate": None}, findings=said)
    encode = must_claim(farm, first)
    assert (encode.job.id, encode.job.stage) == (parent_id, Stage.ENCODE)
    assert [(part["part"], part["metrics"]["vmaf_mean"]) for part in claim_document(encode)["parts"]] == [
        ("crf-18", 97.0),
        ("crf-30", None),
    ]
    finish(farm, encode, metrics={"vmaf_mean": 94.0}, findings=Findings(warnings=("it is damaged",)))
    result = job(farm, parent_id).job
    assert (result.status, result.metrics) == (JobStatus.COMPLETED, {"vmaf_mean": 94.0})
    assert result.findings.warnings == (f"crf-30: {said.warnings[0]}", "it is damaged")


def test_an_encode_that_is_tried_again_begins_from_the_same_probes(farm: Farm, clock: FakeClock) -> None:
    node_id, _ = crowd(farm, 2)
    submit(farm, parameters=TARGET)
    for _ in range(2):
        finish(farm, must_claim(farm, node_id))
    finish(farm, must_claim(farm, node_id), JobStatus.FAILED, error=Failure("disk_full", "no space"))
    clock.advance(6)
    work.reap(farm)
    assert len(claim_document(must_claim(farm, node_id))["parts"]) == 2


def test_cancelling_the_job_cancels_its_probes(farm: Farm) -> None:
    node_id, _ = crowd(farm, 2)
    parent_id = submit(farm, parameters=TARGET)
    must_claim(farm, node_id)
    jobs.change(farm, OPERATOR, parent_id, commands.Cancel())
    assert {part.status for part in parts(farm, parent_id)} == {JobStatus.CANCELED}


def test_a_retry_is_divided_as_the_nodes_are_by_then(farm: Farm) -> None:
    crowd(farm, 2)
    parent_id = submit(farm, parameters=TARGET)
    jobs.change(farm, OPERATOR, parent_id, commands.Cancel())
    crowd(farm, 1)
    again = jobs.retry(farm, OPERATOR, parent_id).job
    assert len(parts(farm, again.id)) == 3
