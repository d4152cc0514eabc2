"""The scenario's size is a box: a picture is fitted into it, keeps its shape, and is not enlarged."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tests.agent.media.clips import H264, Clips, first, output, picture
from tests.agent.media.conftest import Convert


def test_a_naive_conversion_refuses_an_odd_size(clips: Clips) -> None:
    odd = clips.make("odd.mkv", *_odd(), "-c:v", "ffv1", "-pix_fmt", "yuv420p")
    with pytest.raises(subprocess.CalledProcessError):
        clips.naive(odd, "naive.mp4", *H264)


def test_an_odd_size_becomes_the_nearest_even_one(clips: Clips, convert: Convert) -> None:
    odd = clips.make("odd.mkv", *_odd(), "-c:v", "ffv1", "-pix_fmt", "yuv420p")
    shown = first(output(convert(odd)))
    assert (shown.width, shown.height) == (160, 90)  # of 161x91


def test_an_odd_size_stays_odd_where_each_pixel_has_its_colour(clips: Clips, convert: Convert) -> None:
    odd = clips.make("odd.mkv", *_odd(), "-c:v", "ffv1")
    shown = first(output(convert(odd, pixel_format="yuv444p")))
    assert (shown.width, shown.height) == (161, 91)


@pytest.mark.parametrize(
    ("size", "asked", "expected"),
    [
        ("1280x720", {}, (854, 480)),
        ("160x90", {}, (160, 90)),
        ("160x90", {"width": 320}, (320, 180)),
        ("160x90", {"width": 320, "height": 100}, (178, 100)),
        ("160x90", {"width": 80}, (80, 44)),  # of two that are as near, the smaller one
    ],
)
def test_it_fits_and_keeps_its_shape(
    size: str, asked: dict[str, Any], expected: tuple[int, int], clips: Clips, convert: Convert
) -> None:
    clip = clips.make("clip.mp4", *picture(size, seconds=0.2), *H264)
    report = convert(clip, **asked)
    assert report.error is None
    found = (report.metrics["width"], report.metrics["height"])
    width, height = (int(side) for side in size.split("x"))
    assert abs(int(str(found[1])) - int(str(found[0])) * height / width) <= 1.5
    assert found == expected


def test_pixels_that_are_no_squares_become_squares(clips: Clips, convert: Convert) -> None:
    wide = clips.make("wide.mp4", *picture("180x144"), "-vf", "setsar=64/45", *H264)
    made = output(convert(wide))
    assert (first(made).width, first(made).height) == (256, 144)
    assert _aspect(clips, made.name) == "1:1"
    assert first(clips.naive(wide)).width == 180  # which shows as 256 only where players look at the mark


def _odd() -> list[str]:
    return [*picture("162x92", seconds=0.2), "-vf", "format=yuv444p,crop=161:91"]


def _aspect(clips: Clips, name: str) -> str:
    said = clips.says("-i", f"work/job-1/{name}", "-map", "0:v", "-vf", "showinfo", "-f", "null", "-")
    return said.partition("sar:")[2].split()[0].replace("/", ":")
