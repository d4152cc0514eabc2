"""10 bits stay 10 bits where the codec has them, and colours keep their meaning."""

from __future__ import annotations

import av
import pytest

from tests.agent.media.clips import H264, Clips, first, output, picture
from tests.agent.media.conftest import Convert

BT709, BT601 = 1, 6
"""Numbers of ITU-T H.273."""


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1"])
def test_ten_bits_and_what_is_said_of_colours_are_kept(codec: str, clips: Clips, convert: Convert) -> None:
    tags = "setparams=color_primaries=smpte170m:color_trc=smpte170m:colorspace=smpte170m:range=tv"
    clip = clips.make("ten.mkv", *picture(seconds=0.2), "-vf", f"format=yuv420p10le,{tags}", *H264)
    shown = first(output(convert(clip, codec=codec)))
    assert shown.format.name == "yuv420p10le"
    assert (shown.color_primaries, shown.color_trc, shown.colorspace) == (BT601, BT601, BT601)


def test_eight_are_enough_when_they_are_asked_for(clips: Clips, convert: Convert) -> None:
    clip = clips.make("ten.mkv", *picture(seconds=0.2), *H264, "-pix_fmt", "yuv420p10le")
    assert first(output(convert(clip, pixel_format="yuv420p"))).format.name == "yuv420p"


def brightest(frame: av.VideoFrame) -> int:
    """The luma of its brightest pixel; rows in memory are longer than they are seen."""
    plane = frame.planes[0]
    data = bytes(plane)
    return max(max(data[row * plane.line_size :][: plane.width]) for row in range(plane.height))


@pytest.mark.parametrize("codec", ["h264", "av1"])
def test_a_full_range_stays_full(codec: str, clips: Clips, convert: Convert) -> None:
    clip = clips.make("full.mov", *picture(seconds=0.2), "-c:v", "mjpeg", "-pix_fmt", "yuvj420p")
    made, given = first(output(convert(clip, codec=codec))), first(clip)
    assert made.color_range == 2
    assert brightest(made) == pytest.approx(brightest(given), abs=6)


def test_red_green_and_blue_become_bt709_and_say_so(clips: Clips, convert: Convert) -> None:
    red = ["-f", "lavfi", "-i", "color=red:size=160x90:rate=25:duration=0.2"]
    clip = clips.make("rgb.mkv", *red, "-c:v", "ffv1", "-pix_fmt", "bgr0")
    shown = first(output(convert(clip, crf=5)))
    assert shown.colorspace == BT709
    assert bytes(shown.planes[0])[0] == pytest.approx(63, abs=2)  # of BT.601 it would be 81
