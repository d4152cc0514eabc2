"""Which streams can be submitted, which nodes get them, and who sees their keys."""

from __future__ import annotations

from typing import Any

import pytest

from common import problems
from common.model import Role
from common.version import PROTOCOL
from master.api.documents import claim_document, full_job_document
from master.service import Caller, Farm
from tests.core.support import claim, job, must_claim, register, submit

RTMP, SRT = "rtmp://live.example.com/app/s3cret", "srt://live.example.com:9000?streamid=s3cret"
AGENT = Caller(Role.OPERATOR, protocol=PROTOCOL)


@pytest.mark.parametrize("output", [RTMP, SRT])
def test_it_goes_to_a_node_that_may_stream_there(farm: Farm, output: str) -> None:
    job_id = submit(farm, output=output)
    place = output.split("/app")[0].split("?")[0]
    strangers = register(
        farm, "a", AGENT, output_hosts=["rtmps://live.example.com", "srt://live.example.com:1"]
    )
    assert claim(farm, strangers) is None
    assert job(farm, job_id).pending_reason == f"no node may stream to the host {place}"
    node = register(farm, "b", AGENT, output_hosts=["rtmp://*.example.com", "srt://live.example.com:9000"])
    assert must_claim(farm, node).job.output == output


def test_an_agent_that_knows_nothing_of_streams_gets_none(farm: Farm) -> None:
    submit(farm, input=RTMP, parameters={"duration": 2})
    assert claim(farm, register(farm, input_hosts=["rtmp://live.example.com"])) is None
    assert claim(farm, register(farm, "b", AGENT, input_hosts=["rtmp://live.example.com"])) is not None


def test_only_the_node_that_is_to_use_it_gets_the_key(farm: Farm) -> None:
    submit(farm, output=RTMP, input=SRT, parameters={"duration": 2})
    hosts = ["rtmp://live.example.com", "srt://live.example.com:9000"]
    view = must_claim(farm, register(farm, "a", AGENT, output_hosts=hosts, input_hosts=hosts))
    claimed = claim_document(view)
    assert (claimed["output"], claimed["input"], claimed["job"]["output"]) == (RTMP, SRT, RTMP)
    shown = full_job_document(view)
    assert (shown["output"], shown["input"]) == (
        "rtmp://live.example.com/app/***",
        "srt://live.example.com:9000?***",
    )
    assert "s3cret" not in str(shown)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (RTMP, {"codec": "h265"}, "parameters.codec"),
    (RTMP, {"codec": "vp9"}, "parameters.codec"),
    (SRT, {"codec": "av1"}, "parameters.codec"),
    (RTMP, {"crf": 23}, "parameters.crf"),
    (RTMP, {"target_vmaf": 93}, "parameters.target_vmaf"),
    (RTMP, {"two_pass": True}, "parameters.two_pass"),
    (RTMP, {"container": "mp4"}, "parameters.container"),
    (RTMP, {"audio": "opus"}, "parameters.audio"),
    (RTMP, {"quality": ["vmaf"]}, "parameters.quality"),
    (RTMP, {"output_mode": "srt"}, "parameters.output_mode"),
    (SRT, {"output_mode": "file"}, "parameters.output_mode"),
    ("files", {"output_mode": "rtmp"}, "parameters.output_mode"),
    (RTMP, {"record": True}, "parameters.record"),
]


@pytest.mark.parametrize(("output", "parameters", "field"), REFUSED)
def test_what_is_no_live_stream_is_refused(
    farm: Farm, output: str, parameters: dict[str, Any], field: str
) -> None:
    with pytest.raises(problems.Problem) as caught:
        submit(farm, output=output, parameters=parameters)
    assert caught.value.type is problems.INVALID
    assert field in str(caught.value.extra)
    assert "s3cret" not in f"{caught.value.detail}{caught.value.extra}"


@pytest.mark.parametrize(
    ("output", "parameters"),
    [
        (RTMP, {"output_mode": "rtmp", "audio": "aac", "bitrate": "3M", "gop": 30}),
        (SRT, {"output_mode": "srt", "codec": "h265"}),
        (RTMP, {"overwrite": False, "two_pass": False}),
    ],
)
def test_a_live_stream_is_taken(farm: Farm, output: str, parameters: dict[str, Any]) -> None:
    submit(farm, output=output, parameters=parameters)


def test_a_recording_needs_a_duration(farm: Farm) -> None:
    with pytest.raises(problems.Problem, match="duration"):
        submit(farm, input=RTMP)
    submit(farm, input=RTMP, parameters={"duration": 10, "record": True})
