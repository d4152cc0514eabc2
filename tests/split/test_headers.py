"""Chunks have equal headers, whatever the quality of each: one decoder takes them as one stream."""

from __future__ import annotations

import pytest

from common.model import Value
from tests.agent.media.clips import picture
from tests.split.chunks import file_of, header, run_chunk
from tests.split.pieces import Farm, windows

CODECS: dict[str, dict[str, Value]] = {
    "h264": {"codec": "h264", "preset": "medium"},
    "h265": {"codec": "h265", "preset": "superfast"},
}


@pytest.mark.parametrize("name", CODECS)
def test_chunks_with_different_crfs_have_the_same_header(name: str, farm: Farm) -> None:
    clip = farm.clips.make("clip.mp4", *picture("192x108", "25", 1), "-c:v", "libx264")
    window = windows(clip, [10, 20], 4)[1]
    made = [
        header(file_of(farm, run_chunk(farm, clip, f"crf-{crf}", window, {**CODECS[name], "crf": crf})))
        for crf in (18, 40)
    ]
    assert made[0]
    assert made[0] == made[1]
