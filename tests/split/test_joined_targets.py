"""Chunks that each found a CRF of their own for one VMAF are one file that decoders take."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.model import Value
from tests.agent.media.clips import Clips
from tests.split.chunks import chunks
from tests.split.pieces import Farm, decoded


def uneven(clips: Clips) -> Path:
    """A second that is easy, and one that is hard."""
    easy = "testsrc2=size=160x90:rate=25:duration=1"
    hard = "mandelbrot=size=160x90:rate=25,trim=duration=1,noise=alls=20:allf=t:all_seed=5"
    graph = f"{easy},format=yuv420p[a];{hard},format=yuv420p[b];[a][b]concat=n=2"
    return clips.make("clip.mp4", "-f", "lavfi", "-i", graph, "-c:v", "libx264", "-crf", "10")


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_different_crfs_make_one_file_that_is_as_good_as_was_asked(
    farm: Farm, clips: Clips, codec: str
) -> None:
    clip = uneven(clips)
    given: dict[str, Value] = {"codec": codec, "preset": "ultrafast", "audio": "none", "target_vmaf": 85.0}
    parts = chunks(farm, clip, [25], 3, **given)
    assert len({part.metrics["crf"] for part in parts}) == 2
    report = farm.joined(clip, parts, given)
    assert report.error is None, report.error
    made = Path(str(report.metrics["output_path"]))
    assert clips.complaints(made) == []
    assert decoded(made) == 50
    assert float(str(report.metrics["vmaf_mean"])) == pytest.approx(85, abs=2)
