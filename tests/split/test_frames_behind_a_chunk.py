"""The frames that an encoder only looks ahead to cost little, and change nothing of those that are wanted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import pytest

from agent.chunks.alike import forced
from common.model import Value, Window
from tests.split.chunks import file_of, run_chunk
from tests.split.pieces import Farm, windows

GIVEN: dict[str, Value] = {"preset": "medium", "crf": 23, "threads": 2}
_GRAPH = "testsrc2=size=192x108:rate=25:duration=3,noise=alls=12:allf=t:all_seed=3"


def packets(path: Path, first: int, end: int) -> list[bytes]:
    """Of the frames with these numbers, in the order in which they are decoded."""
    with av.open(str(path)) as container:
        found = [(packet.pts or 0, bytes(packet)) for packet in container.demux(video=0) if packet.size]
    times = sorted(time for time, _ in found)[first:end]
    return [data for time, data in found if times[0] <= time <= times[-1]]


def test_with_a_constant_quality_they_take_few_bits_and_the_others_are_as_they_were(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = farm.clips.make("clip.mp4", "-f", "lavfi", "-i", _GRAPH, "-c:v", "libx264", "-crf", "10")
    window = windows(clip, [20, 50], 7, 20)[1]
    cheap = file_of(farm, run_chunk(farm, clip, "cheap", window, GIVEN))

    def all_alike(window: Window) -> object:
        return replace(forced(window), behind=None)

    monkeypatch.setattr("agent.chunks.argv.forced", all_alike)
    usual = file_of(farm, run_chunk(farm, clip, "usual", window, GIVEN))
    first, wanted, over = (at - window.lead for at in (window.first, window.end, window.tail))
    assert packets(cheap, first, wanted) == packets(usual, first, wanted)
    behind = [sum(map(len, packets(path, wanted, over))) for path in (cheap, usual)]
    assert behind[0] < behind[1] / 4


@pytest.mark.parametrize("more", [{"maxrate": "200k"}, {"crf": 0}])
def test_what_counts_bits_or_loses_nothing_is_left_alone(farm: Farm, more: dict[str, Value]) -> None:
    clip = farm.clips.make(
        "clip.mp4", "-f", "lavfi", "-i", _GRAPH, "-t", "1", "-c:v", "libx264", "-crf", "10"
    )
    window = windows(clip, [8, 16], 3, 3)[1]
    report = run_chunk(farm, clip, "chunk", window, {**GIVEN, "preset": "ultrafast", **more})
    assert report.error is None, report.error
    assert "stitchable=1" in str(report.metrics["command"])
    assert "zones" not in str(report.metrics["command"])
