"""A chunk has exactly the frames of its window, begins anew at its first, and is the same each time."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from common.model import Value
from tests.agent.media.clips import picture
from tests.split.chunks import file_of, run_chunk, sha
from tests.split.pieces import Farm, windows

CODECS: dict[str, dict[str, Value]] = {
    "h264": {"codec": "h264", "preset": "veryfast", "crf": 30},
    "h264 capped": {"codec": "h264", "preset": "veryfast", "crf": 30, "maxrate": "200k"},
    "h265": {"codec": "h265", "preset": "superfast", "crf": 32},
    "h265 capped": {"codec": "h265", "preset": "superfast", "crf": 32, "maxrate": "200k"},
    "vp9": {"codec": "vp9", "preset": "8", "crf": 40},
    "av1": {"codec": "av1", "preset": "10", "crf": 50},
}


def clip_of(farm: Farm) -> Path:
    return farm.clips.make(
        "clip.mp4", *picture("320x180", "30", 2), "-c:v", "libx264", "-g", "25", "-bf", "2"
    )


@pytest.mark.parametrize("name", CODECS)
def test_its_frames_are_those_of_its_window_and_begin_anew_at_its_first(name: str, farm: Farm) -> None:
    clip = clip_of(farm)
    window = windows(clip, [20, 40], 7)[1]
    report = run_chunk(farm, clip, "chunk-002", window, CODECS[name])
    path = file_of(farm, report)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
    tick = int(packets[0].duration or 1)
    numbers = sorted((int(packet.pts or 0) // tick, packet.is_keyframe) for packet in packets)
    assert [number for number, _ in numbers] == list(range(window.end - window.lead))
    assert {0, 7} <= {number for number, key in numbers if key}
    assert report.metrics["frames"] == 27
    again = run_chunk(farm, clip, "again", window, CODECS[name])
    assert sha(file_of(farm, again)) == sha(path)
