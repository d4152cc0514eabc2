"""`POST /jobs` queues what the guide asks for, and refuses what could never run."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from common import problems
from common.schema import ParametersSchema
from tests.api.corner import TIMESTAMP, Corner, got, refused, refused_fields
from tests.masters import Client

GUIDE = {
    "scenario": "1080p-h264",
    "confidence": "auto",
    "parameters": {"duration": 60, "bitrate": "5000k"},
}


def test_the_guides_job_is_answered_as_the_guide_shows(client: Client, corner: Corner) -> None:
    job = got(client.post("/jobs", json=GUIDE), 201)
    assert list(job)[:7] == [
        "id",
        "scenario",
        "confidence",
        "parameters",
        "status",
        "created_at",
        "retry_count",
    ]
    assert {name: job[name] for name in GUIDE} == GUIDE
    assert (job["status"], job["retry_count"]) == ("pending", 0)
    uuid.UUID(job["id"])
    assert TIMESTAMP.fullmatch(job["created_at"])


def test_only_the_scenario_is_needed(client: Client) -> None:
    job = got(client.post("/jobs", json={"scenario": "4K60-h265"}), 201)
    assert (job["confidence"], job["parameters"], job["priority"]) == ("auto", {}, "medium")
    assert job["constraints"] == {"labels": {}, "encoders": ["libx265"], "gpu": False}


def test_a_job_says_what_it_waits_for(corner: Corner) -> None:
    label = f"corner={corner.labels['corner']}"
    corner.register(labels={})
    assert corner.submit()["pending_reason"] == f"no node offers label {label}"


ACCEPTED: dict[str, list[Any]] = {
    "duration": [0.05, 1, 86_400],
    "bitrate": ["5000k", "2.5M", "10k", 800_000],
    "preset": ["ultrafast", "veryslow"],
    "crf": [0, 23.5, 51],
    "width": [16, 7680],
    "height": [16, 4320],
    "fps": [1, 29.97, 240],
    "codec": ["h264", "h265", "vp9", "av1"],
    "threads": [1, 256],
    "gop": [1, 100_000],
    "pixel_format": ["yuv420p", "yuv444p"],
    "audio": ["none", "aac", "opus"],
    "audio_bitrate": ["96k", 320_000],
    "loudness": [-70, -23.5, -5],
    "subtitles": ["keep", "none"],
    "container": ["mp4", "mkv", "mpegts", "hls", "dash"],
    "segment_seconds": [1, 6, 60],
    "overwrite": [True, False],
    "output_mode": ["file"],
    "record": [False],
    "maxrate": ["5000k", 800_000],
    "two_pass": [True, False],
    "target_vmaf": [20, 95.5, 99.5],
    "quality": [[], ["vmaf"], ["vmaf", "psnr", "ssim", "xpsnr"]],
    "energy": [True, False],
    "hwaccel": ["none", "auto", "nvenc"],
    "content": ["test", "noise", "motion", "complex"],
    "deinterlace": ["auto", "yes", "no"],
    "hdr": ["keep", "tonemap"],
    "ladder": [["auto"], ["1080p:5000k", "720p"]],
    "pictures": [True, False],
    "split": ["auto", "off", 2, 500],
}
NEEDED: dict[str, dict[str, Any]] = {"maxrate": {"crf": 23}}
"""What a parameter goes with."""
GOES_WITH: dict[str, dict[str, Any]] = {
    "pictures": {"input": "media:films/a.mp4"},
    "split": {"input": "media:films/a.mp4"},
}
"""What else of a job it goes with."""
REFUSED: dict[str, list[Any]] = {
    "duration": ["60", True, None, 0, -1, 86_401, [60]],
    "bitrate": ["fast", "", "5000 k", "-5k", "9k", "501M", 9_999, 1.5, True, None],
    "preset": ["placebo", "", 8, None],
    "crf": ["23", -1, 64, True, None],
    "width": ["1920", 15, 17, 7682, 1920.5, True, None],
    "height": ["1080", 14, 1081, 4322, None],
    "fps": ["30", 0, 241, True, None],
    "codec": ["mpeg2", "libx264", 264, None],
    "threads": ["4", 0, 257, 1.5, None],
    "gop": ["60", 0, 100_001, None],
    "pixel_format": ["rgb24", 420, None],
    "audio": ["mp3", True, None],
    "audio_bitrate": ["loud", "9k", None],
    "loudness": ["-23", -71, -4, None],
    "subtitles": ["burn", True, None],
    "container": ["avi", "MP4", None],
    "segment_seconds": [0.5, 61, "6", None],
    "overwrite": [1, "yes", None],
    "output_mode": ["tee", None],
    "record": [1, "yes", None],
    "maxrate": ["fast", "9k", None],
    "two_pass": [2, "yes", None],
    "target_vmaf": [19, 99.6, "95", None],
    "quality": ["vmaf", ["mos"], ["vmaf", "vmaf"], [None], None],
    "energy": [1, "yes", None],
    "hwaccel": ["cuda", True, None],
    "content": ["cats", None],
    "deinterlace": [True, "bwdif", None],
    "hdr": ["drop", True, None],
    "ladder": [["720"], ["720p:fast"], ["720p", "720p"], None],
    "pictures": [1, "yes", None],
    "split": ["on", "2", 1, 501, 2.5, True, None],
}


def test_every_parameter_is_tried() -> None:
    assert set(ACCEPTED) == set(REFUSED) == set(ParametersSchema().fields)


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_parameter_within_its_range_is_taken_as_it_was_sent(corner: Corner, name: str) -> None:
    for value in ACCEPTED[name]:
        asked = {**NEEDED.get(name, {}), name: value}
        assert corner.submit(parameters=asked, **GOES_WITH.get(name, {}))["parameters"] == asked


@pytest.mark.parametrize("name", REFUSED)
def test_a_parameter_of_another_type_or_out_of_range_is_named(client: Client, name: str) -> None:
    for value in REFUSED[name]:
        answer = client.post("/jobs", json={"scenario": "720p-h264", "parameters": {name: value}})
        named = {field.removesuffix(".0") for field in refused_fields(answer)}  # or the first of a list
        assert named == {f"parameters.{name}"}, value


def test_there_is_sound_to_copy_only_with_an_input(client: Client) -> None:
    job = {"scenario": "720p-h264", "parameters": {"audio": "copy"}}
    assert set(refused_fields(client.post("/jobs", json=job))) == {"parameters.audio"}
    got(client.post("/jobs", json={**job, "input": "media:films/a.mp4"}), 201)


@pytest.mark.parametrize(
    ("field", "parameters"),
    [
        ("crf", {"crf": 23, "bitrate": "5000k"}),
        ("crf", {"crf": 60}),
        ("preset", {"preset": "8"}),
        ("preset", {"codec": "vp9", "preset": "veryfast"}),
        ("audio", {"codec": "vp9", "audio": "aac"}),
        ("pixel_format", {"codec": "av1", "pixel_format": "yuv444p"}),
        ("duration", {"duration": 0.01}),
    ],
)
def test_parameters_that_contradict_each_other_are_named(
    client: Client, field: str, parameters: dict[str, Any]
) -> None:
    answer = client.post("/jobs", json={"scenario": "720p-h264", "parameters": parameters})
    assert refused_fields(answer) == [f"parameters.{field}"]


def test_an_unknown_scenario_is_refused_with_the_nearest_names(client: Client) -> None:
    problem = refused(client.post("/jobs", json={"scenario": "1080p-h246"}), problems.UNKNOWN_SCENARIO)
    assert problem["nearest"][0] == "1080p-h264"
    assert "Did you mean 1080p-h264" in problem["detail"]


def test_a_scenario_like_no_other_is_refused_with_the_way_to_the_list(client: Client) -> None:
    problem = refused(client.post("/jobs", json={"scenario": "zzz"}), problems.UNKNOWN_SCENARIO)
    assert problem["nearest"] == []
    assert "/scenarios" in problem["detail"]


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("scenario", {}),
        ("scenario", {"scenario": 1080}),
        ("colour", {"scenario": "720p-h264", "colour": "red"}),
        ("parameters.filter", {"scenario": "720p-h264", "parameters": {"filter": "scale=1:1"}}),
        ("parameters", {"scenario": "720p-h264", "parameters": [1]}),
        ("confidence", {"scenario": "720p-h264", "confidence": "certain"}),
        ("priority", {"scenario": "720p-h264", "priority": 1}),
        ("constraints.cpu", {"scenario": "720p-h264", "constraints": {"cpu": 8}}),
        ("constraints.gpu", {"scenario": "720p-h264", "constraints": {"gpu": "yes"}}),
        ("constraints.encoders", {"scenario": "720p-h264", "constraints": {"encoders": "libx264"}}),
        ("constraints.labels", {"scenario": "720p-h264", "constraints": {"labels": ["a"]}}),
    ],
)
def test_a_field_that_does_not_fit_is_named(client: Client, field: str, sent: dict[str, Any]) -> None:
    assert refused_fields(client.post("/jobs", json=sent)) == [field]
