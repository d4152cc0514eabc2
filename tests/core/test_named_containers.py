"""An output that is named for a container is of that container, and never of another."""

from __future__ import annotations

from typing import Any

import pytest

from common.scenarios import SCENARIOS
from common.settings import UnsuitableError
from common.settings.live import resolve_job


def container(output: str | None, scenario: str = "480p-h264", **parameters: Any) -> str:
    return resolve_job(SCENARIOS[scenario], parameters, None, output).container


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("media:out/a.mkv", "mkv"),
        ("media:out/a.MKV", "mkv"),
        ("media:out/a.ts", "mpegts"),
        ("media:out/a.mp4", "mp4"),
        ("media:out/a.mov", "mp4"),
        ("media:out.mkv/a", "mp4"),
        ("media:out/a", "mp4"),
        ("files", "mp4"),
        (None, "mp4"),
    ],
)
def test_the_name_says_the_container_where_none_is_asked_for(output: str | None, expected: str) -> None:
    assert container(output) == expected


def test_a_name_and_a_parameter_that_contradict_each_other_are_refused() -> None:
    assert container("media:out/a.mkv", container="mkv") == "mkv"
    with pytest.raises(
        UnsuitableError, match=r"the output is named \.mkv, which says mkv, not mp4"
    ) as caught:
        container("media:out/a.mkv", container="mp4")
    assert caught.value.field == "container"


def test_a_codec_that_the_named_container_does_not_take_is_refused() -> None:
    assert container("media:out/a.mp4", "720p30-vp9") == "mp4"
    with pytest.raises(UnsuitableError, match="webm"):
        container("media:out/a.webm")


def test_what_is_several_files_is_named_by_its_directory() -> None:
    assert container("media:out/a.mp4", container="hls") == "hls"
    with pytest.raises(UnsuitableError, match="name their directory"):
        container("media:out/a.m3u8", container="hls")
