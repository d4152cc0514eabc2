"""Inputs of every container that we read are encoded to their end."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.inputs.rules import InputRules
from agent.runner import run_job
from agent.task import Assignment
from common.model import Report, Value

PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=24:duration=2"]
SOUND = ["-f", "lavfi", "-i", "sine=duration=2"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast"]


def make(toolbox: Toolbox, file: Path, *options: str) -> Path:
    ffmpeg = toolbox.chosen["libx264"].path
    subprocess.run([ffmpeg, "-v", "error", "-y", *options, str(file)], check=True, cwd=file.parent)
    return file


def encode(toolbox: Toolbox, spawner: Spawner, file: Path, **more: Value) -> Report:
    """What comes of the file."""
    report = run_job(
        Assignment(
            "job-1",
            "480p-h264",
            {"preset": "ultrafast", "width": 64, "height": 64, **more},
            "lease-1",
            1,
            f"media:films/{file.name}",
        ),
        "node-1",
        toolbox,
        spawner,
        file.parent / "work",
        lambda _progress, _lines: None,
        threading.Event(),
        inputs=InputRules({"films": file.parent}),
    )
    assert report is not None
    return report


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", [*PICTURE, *SOUND, *H264]),
        ("a.mov", [*PICTURE, *SOUND, "-c:v", "mpeg4"]),
        ("a.mkv", [*PICTURE, *SOUND, *H264]),
        ("a.webm", [*PICTURE, *SOUND, "-c:v", "libvpx", "-c:a", "libopus"]),
        ("a.ts", [*PICTURE, *SOUND, *H264]),
        ("a.mpg", [*PICTURE, *SOUND, "-c:v", "mpeg2video"]),
        ("a.avi", [*PICTURE, *SOUND, "-c:v", "mpeg4"]),
        ("a.flv", [*PICTURE, *SOUND, *H264]),
        ("a.ogv", [*PICTURE, *SOUND, "-c:v", "libtheora"]),
        ("a.wmv", [*PICTURE, *SOUND, "-c:v", "wmv2"]),
        ("a.ivf", [*PICTURE, "-c:v", "libvpx"]),
        ("a.mxf", [*PICTURE, "-c:v", "mpeg2video"]),
        ("a.nut", [*PICTURE, *H264]),
        ("a.y4m", [*PICTURE]),
        ("ten-bits.mkv", [*PICTURE, *H264, "-pix_fmt", "yuv420p10le"]),
        ("turned.mp4", [*PICTURE, *H264, "-metadata:s:v", "rotate=90"]),
        ("silent-end.mkv", [*PICTURE, "-f", "lavfi", "-i", "sine=duration=0.5", *H264]),
        ("sound-goes-on.mp4", [*PICTURE, "-f", "lavfi", "-i", "sine=duration=5", *H264]),
    ],
)
def test_it_is_encoded_to_its_end(
    name: str, options: list[str], toolbox: Toolbox, spawner: Spawner, tmp_path: Path
) -> None:
    report = encode(toolbox, spawner, make(toolbox, tmp_path / name, *options))
    assert report.error is None
    assert report.metrics["frames"] == report.metrics["source_frames"] == 48
    assert report.findings.warnings == ()


def test_at_a_rate_a_picture_that_begins_late_is_shown_from_the_start(
    toolbox: Toolbox, spawner: Spawner, tmp_path: Path
) -> None:
    file = make(toolbox, tmp_path / "late.mkv", "-itsoffset", "1", *PICTURE, *SOUND, *H264)
    assert encode(toolbox, spawner, file, fps=30).metrics["frames"] == 90


def test_at_a_rate_a_slow_one_and_one_that_varies_are_made_even(
    toolbox: Toolbox, spawner: Spawner, tmp_path: Path
) -> None:
    slow = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=1:duration=3"]
    assert (
        encode(toolbox, spawner, make(toolbox, tmp_path / "slow.mp4", *slow, *H264), fps=30).metrics["frames"]
        == 90
    )
    varies = [*PICTURE, "-vf", "select='not(mod(n,7))+lt(n,20)'", "-fps_mode", "vfr", *H264]
    report = encode(toolbox, spawner, make(toolbox, tmp_path / "varies.mp4", *varies), fps=30)
    assert report.error is None
    assert 50 <= int(str(report.metrics["frames"])) <= 61


def test_a_subtitle_that_lasts_longer_is_no_sign_of_a_missing_end(
    toolbox: Toolbox, spawner: Spawner, tmp_path: Path
) -> None:
    (tmp_path / "a.srt").write_text("1\n00:00:01,000 --> 00:00:20,000\nhello\n")
    file = make(toolbox, tmp_path / "a.mkv", *PICTURE, "-i", "a.srt", *H264)
    report = encode(toolbox, spawner, file)
    assert report.error is None
    assert report.metrics["frames"] == 48


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("sound.mp4", SOUND),
        ("cover.mp4", [*SOUND, *PICTURE, "-c:v", "png", "-frames:v", "1", "-disposition:v", "attached_pic"]),
    ],
)
def test_sound_alone_is_no_video(
    name: str, options: list[str], toolbox: Toolbox, spawner: Spawner, tmp_path: Path
) -> None:
    report = encode(toolbox, spawner, make(toolbox, tmp_path / name, *options))
    assert report.error is not None
    assert report.error.code == "input_invalid"
    assert report.error.message.startswith("the input has no video stream")
