"""A bitrate is met over the whole file: hard chunks get more of it, by what looks found; each time alike."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from agent.task import PartDone
from common.model import Stage, Value, Window
from tests.split.chunks import file_of, header, run_chunk, sha
from tests.split.pieces import Farm, windows

CODECS: dict[str, dict[str, Value]] = {
    "h264": {"codec": "h264", "preset": "veryfast"},
    "h265": {"codec": "h265", "preset": "superfast"},
    "vp9": {"codec": "vp9", "preset": "8"},
}


def clip_of(farm: Farm) -> Path:
    """Three seconds that are easy, three that are hard."""
    easy = "testsrc2=size=192x108:rate=25:duration=3"
    hard = "testsrc2=size=192x108:rate=25:duration=3,noise=alls=30:allf=t"
    graph = f"{easy}[a];{hard}[b];[a][b]concat=n=2"
    return farm.clips.make("clip.mp4", "-f", "lavfi", "-i", graph, "-c:v", "libx264", "-crf", "10")


@pytest.mark.parametrize("name", CODECS)
def test_the_hard_chunk_gets_more_and_both_together_what_was_asked(name: str, farm: Farm) -> None:
    clip = clip_of(farm)
    given = {**CODECS[name], "bitrate": "300k"}
    frames = windows(clip, [75], 0)
    looks = []
    for number, window in enumerate(frames, 1):
        report = run_chunk(farm, clip, f"look-{number:03}", window, given, stage=Stage.LOOK)
        assert report.error is None, report.error
        made = report.findings.artifacts
        looks.append(PartDone(f"look-{number:03}", f"job-{number}", report.metrics, made, Stage.LOOK, window))
    made_of, rates = [], []
    for number, window in enumerate(frames, 1):
        report = run_chunk(farm, clip, f"chunk-{number:03}", window, given, parts=tuple(looks))
        made_of.append(file_of(farm, report))
        rates.append(own_bits(made_of[-1], window) / 3)
    assert rates[1] > rates[0] * 1.1
    assert sum(rates) / 2 == pytest.approx(300_000, rel=0.15)
    assert header(made_of[0]) == header(made_of[1])
    again = run_chunk(farm, clip, "again", frames[1], given, parts=tuple(looks))
    assert sha(file_of(farm, again)) == sha(made_of[1])


@pytest.mark.parametrize("said", [None, "", "1 2", "1 2 nan", 5.0])
def test_a_chunk_is_not_encoded_where_a_look_does_not_say_how_hard_its_frames_are(
    said: str | float | None, farm: Farm
) -> None:
    clip = farm.clips.make("clip.mp4", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=1")
    window = windows(clip, [], 0)[0]
    look = PartDone("look-001", "job-1", {"hardness_by_second": said}, (), Stage.LOOK, window)
    report = run_chunk(farm, clip, "chunk-001", window, {"bitrate": "300k"}, parts=(look,))
    assert report.error is not None
    assert report.error.code == "agent_error"
    assert "look-001 does not say how hard its frames are" in report.error.message


def own_bits(path: Path, window: Window) -> int:
    """Of the frames that are wanted."""
    with av.open(str(path)) as container:
        packets = sorted((p.pts or 0, p.size) for p in container.demux(video=0) if p.size)
    return 8 * sum(size for _, size in packets[window.first - window.lead : window.end - window.lead])
