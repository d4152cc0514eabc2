"""What a comparison wrote is read with care: hostile files were decoded by who wrote it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.ffmpeg.pixels import chroma, common_format, depth
from agent.quality.frames import LOGS, UnreadableError, ceiling, read, table

TIMES = "frame:0    pts:40000   pts_time:0.04\nn=0\nframe:1    pts:80000   pts_time:0.08\nn=0\n"
WRITTEN = {
    "output.times": TIMES,
    "reference.times": TIMES,
    "vmaf.csv": "Frame,integer_adm2,vmaf,\n0,0.99,95.5,\n1,0.98,94.25,\n",
    "psnr.log": "frame:0 pts:0 pts_time:0\nlavfi.psnr.psnr_avg=inf\nframe:1\nlavfi.psnr.psnr_avg=41.5\n",
    "ssim.log": "n:1 Y:1.0 U:1.0 V:1.0 All:0.997164 (25.47)\nn:2 Y:0.9 U:0.9 V:0.9 All:0.9 (20.3)\n",
    "xpsnr.log": "n:    1  XPSNR y: 49.9  XPSNR u: 48.3  XPSNR v: inf\nn:    2  XPSNR y: 37.3\n\nXPSNR ave\n",
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, text in WRITTEN.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_each_method_has_a_value_for_each_frame(directory: Path) -> None:
    frames = read(directory, LOGS, 8)
    assert {name: list(values) for name, values in frames.values.items()} == {
        "vmaf": [95.5, 94.25],
        "psnr": [60, 41.5],
        "ssim": [0.997164, 0.9],
        "xpsnr": [48.3, 37.3],
    }
    assert list(frames.output) == [0.04, 0.08]


def test_the_table_counts_time_from_the_first_frame(directory: Path) -> None:
    assert list(table(read(directory, ("vmaf", "ssim"), 8))) == [
        ["frame", "time", "vmaf", "ssim"],
        ["0", "0.000000", "95.500000", "0.997164"],
        ["1", "0.040000", "94.250000", "0.900000"],
    ]


@pytest.mark.parametrize(("bits", "decibels"), [(8, 60), (10, 72), (12, 84)])
def test_equal_frames_have_the_decibels_that_libvmaf_gives_them(bits: int, decibels: float) -> None:
    assert ceiling(bits) == decibels


def test_a_link_to_another_file_is_not_followed(directory: Path) -> None:
    (directory / "vmaf.csv").unlink()
    (directory / "vmaf.csv").symlink_to("/etc/passwd")
    with pytest.raises(UnreadableError, match=r"vmaf\.csv"):
        read(directory, ("vmaf",), 8)


def test_a_pipe_in_place_of_a_log_holds_nobody_up(directory: Path) -> None:
    (directory / "ssim.log").unlink()
    os.mkfifo(directory / "ssim.log")
    with pytest.raises(UnreadableError, match="no regular file"):
        read(directory, ("ssim",), 8)


@pytest.mark.parametrize(
    "text",
    [
        "Frame,vmaf,\n0,nan,\n",
        "Frame,vmaf,\n0,\n",
        "Frame,adm\n0,1\n",
        "\0\0\n1",
        'Frame,vmaf\n0,"' + "9\n" * 100_000,
    ],
)
def test_what_is_no_log_of_libvmaf_gives_no_number(text: str, directory: Path) -> None:
    (directory / "vmaf.csv").write_text(text)
    with pytest.raises(UnreadableError):
        read(directory, ("vmaf",), 8)


def test_a_line_without_end_is_read_in_pieces(directory: Path) -> None:
    (directory / "ssim.log").write_text("n:1 All:" + "9" * 1_000_000)
    assert list(read(directory, ("ssim",), 8).values["ssim"]) == []


@pytest.mark.parametrize(
    ("name", "bits", "colour"),
    [
        ("yuv420p", 8, "420"),
        ("yuvj422p", 8, "422"),
        ("yuv444p10le", 10, "444"),
        ("yuv420p12be", 12, "420"),
        ("p010le", 10, "420"),
        ("nv12", 8, "420"),
        ("gbrp12le", 12, "444"),
        ("rgb24", 8, "444"),
        ("rgb48le", 16, "444"),
        ("gray10le", 10, "420"),
        ("yuyv422", 8, "422"),
        (None, 8, "420"),
    ],
)
def test_depth_and_colour_follow_from_a_pixel_formats_name(name: str | None, bits: int, colour: str) -> None:
    assert (depth(name), chroma(name)) == (bits, colour)


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("yuv420p", "yuv420p", "yuv420p"),
        ("yuv420p10le", "yuv420p", "yuv420p10le"),
        ("yuv444p", "yuv420p10le", "yuv444p10le"),
        ("rgb24", "yuv420p", "yuv444p"),
        ("yuv422p9le", "yuv420p", "yuv422p10le"),
        ("rgb48le", "yuv420p", "yuv444p12le"),
        (None, "yuv420p10le", "yuv420p10le"),
    ],
)
def test_neither_side_loses_depth_or_colour(one: str | None, other: str, common: str) -> None:
    assert common_format(one, other)[0] == common
