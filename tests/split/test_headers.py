"""Chunks have equal headers, however good and fast each is: one decoder takes them as one stream."""

from __future__ import annotations

from dataclasses import replace

import pytest

from common.model import Value
from tests.agent.media.clips import picture
from tests.split.chunks import file_of, header, run_chunk
from tests.split.pieces import Farm, windows

CODECS: dict[str, dict[str, Value]] = {
    "h264": {"codec": "h264", "preset": "medium"},
    "h265": {"codec": "h265", "preset": "superfast"},
    "av1": {"codec": "av1", "preset": "12"},
}
_SLOW_THEN_FAST = "settb=1/1000,setpts='if(lt(N\\,12)\\,N*100\\,1200+(N-12)*8)'"


@pytest.mark.parametrize("name", ["h264", "h265"])
def test_chunks_with_different_crfs_have_the_same_header(name: str, farm: Farm) -> None:
    clip = farm.clips.make("clip.mp4", *picture("192x108", "25", 1), "-c:v", "libx264")
    window = windows(clip, [10, 20], 4, 4)[1]
    made = [
        header(file_of(farm, run_chunk(farm, clip, f"crf-{crf}", window, {**CODECS[name], "crf": crf})))
        for crf in (18, 40)
    ]
    assert made[0]
    assert made[0] == made[1]


@pytest.mark.parametrize("name", ["h265", "av1"])
def test_chunks_of_pictures_that_come_at_different_rates_have_the_same_header(name: str, farm: Farm) -> None:
    kept = ("-fps_mode", "passthrough", "-enc_time_base:v", "1/1000")
    clip = farm.clips.make(
        "clip.mkv", *picture("320x180", "25", 1), "-vf", _SLOW_THEN_FAST, *kept, "-c:v", "libx264", "-g", "12"
    )
    slow, fast = windows(clip, [12], 0, 0)
    made = [
        header(file_of(farm, run_chunk(farm, clip, "chunk", window, {**CODECS[name], "crf": 40})))
        for window in (slow, replace(fast, seek=1.2))  # where its piece begins
    ]
    assert made[0]
    assert made[0] == made[1]
