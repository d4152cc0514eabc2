"""A high dynamic range is kept with all that displays need to know of it, or mapped to the usual one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.agent.media.clips import H264, Clips, first, output, picture
from tests.agent.media.conftest import Convert

PQ, HLG, BT709, BT2020 = 16, 18, 1, 9
"""Numbers of ITU-T H.273."""
DISPLAY = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"


def hdr(clips: Clips, transfer: str) -> Path:
    tags = f"setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc:range=tv"
    graph = ["-vf", f"format=yuv420p10le,{tags}"]
    if transfer != "smpte2084":
        return clips.make("hlg.mkv", *picture(seconds=0.2), *graph, *H264)
    more = f"master-display={DISPLAY}:max-cll=1000,400:log-level=error"
    encoder = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", more]
    return clips.make("pq.mp4", *picture(seconds=0.2), *graph, *encoder)


def side_data(frame: Any) -> set[str]:
    return {data.type.name for data in frame.side_data} & {
        "MASTERING_DISPLAY_METADATA",
        "CONTENT_LIGHT_LEVEL",
    }


@pytest.mark.parametrize(
    ("codec", "container"),
    [("h264", "mp4"), ("h265", "mpegts"), ("vp9", "webm"), ("av1", "mp4")],
)
def test_hdr10_is_kept_with_its_metadata(codec: str, container: str, clips: Clips, convert: Convert) -> None:
    clip = hdr(clips, "smpte2084")
    shown = first(output(convert(clip, codec=codec, container=container)))
    assert shown.format.name == "yuv420p10le"
    assert (shown.color_primaries, shown.color_trc, shown.colorspace) == (BT2020, PQ, BT2020)
    assert side_data(shown) == side_data(first(clip)) == {"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"}


def test_hlg_is_kept(clips: Clips, convert: Convert) -> None:
    shown = first(output(convert(hdr(clips, "arib-std-b67"))))
    assert (shown.format.name, shown.color_trc, shown.color_primaries) == ("yuv420p10le", HLG, BT2020)


@pytest.mark.parametrize(("transfer", "codec"), [("smpte2084", "h265"), ("arib-std-b67", "h264")])
def test_it_is_mapped_to_the_usual_range_and_says_nothing_else(
    transfer: str, codec: str, clips: Clips, convert: Convert
) -> None:
    clip = hdr(clips, transfer)
    shown = first(output(convert(clip, codec=codec, hdr="tonemap")))
    assert shown.format.name == "yuv420p"
    assert (shown.color_primaries, shown.color_trc, shown.colorspace) == (BT709, BT709, BT709)
    assert side_data(shown) == set()


def test_a_naive_conversion_to_8_bits_still_says_that_it_is_hdr(clips: Clips) -> None:
    naive = first(clips.naive(hdr(clips, "smpte2084"), "naive.mp4", "-pix_fmt", "yuv420p"))
    assert (naive.format.name, naive.color_trc) == ("yuv420p", PQ)


def test_tone_mapping_leaves_another_picture_as_it_is(clips: Clips, convert: Convert) -> None:
    clip = clips.make("sdr.mp4", *picture(seconds=0.2), *H264)
    report = convert(clip, hdr="tonemap")
    assert report.error is None
    assert "tonemap" not in str(report.metrics["command"])


def test_8_bits_are_too_few_for_it(clips: Clips, convert: Convert) -> None:
    report = convert(hdr(clips, "smpte2084"), pixel_format="yuv420p")
    assert report.error is not None
    assert report.error.code == "input_invalid"
    assert "use yuv420p10le, or hdr: tonemap" in report.error.message
