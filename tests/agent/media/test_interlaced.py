"""The lines of two moments are told apart: what comes of an interlaced picture has no combs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.media.clips import H264, Clips, frames, output, rows
from tests.agent.media.conftest import Convert

BAR = (
    "nullsrc=size=160x96:rate=50:duration=1,format=gray,"
    "geq=lum='255*lt(mod(X-N*8+1600,160),30)',format=yuv420p"
)
"""A white bar that moves by 8 pixels in each field."""


def interlaced(clips: Clips, order: str) -> Path:
    options = ["-vf", f"interlace=scan={order}:lowpass=off", "-flags", "+ildct+ilme", "-crf", "5"]
    return clips.make("fields.mkv", "-f", "lavfi", "-i", BAR, *options, *H264, "-x264-params", f"{order}=1")


def combs(path: Path) -> float:
    """How much each line differs from those above and below it, on the whole: 0 for an upright bar."""
    total = pixels = 0
    for frame in list(frames(path))[2:12]:
        lines = rows(frame)
        for above, line, below in zip(lines, lines[1:], lines[2:], strict=False):
            total += sum(abs(2 * b - a - c) for a, b, c in zip(above, line, below, strict=True))
            pixels += len(line)
    return total / pixels


@pytest.mark.parametrize("order", ["tff", "bff"])
def test_it_is_not_combed(order: str, clips: Clips, convert: Convert) -> None:
    clip = interlaced(clips, order)
    combed = combs(clips.naive(clip))
    report = convert(clip, crf=10)
    assert combed > 10
    assert combs(output(report)) < combed / 4
    assert report.metrics["frames"] == 25


def test_it_is_left_as_it_is_when_that_is_asked_for(clips: Clips, convert: Convert) -> None:
    assert combs(output(convert(interlaced(clips, "tff"), crf=10, deinterlace="no"))) > 10


def test_one_that_does_not_say_so_is_deinterlaced_by_force(clips: Clips, convert: Convert) -> None:
    clip = clips.make(
        "unmarked.mkv", "-f", "lavfi", "-i", BAR, "-vf", "interlace=scan=tff:lowpass=off,setfield=prog", *H264
    )
    assert combs(output(convert(clip, crf=10))) > 10
    assert combs(output(convert(clip, crf=10, deinterlace="yes"))) < 5
