"""Each frame of an input is encoded, and comes at its own time, in every container."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.media.clips import H264, Clips, output, picture, relative, starts
from tests.agent.media.conftest import Convert

UNEVEN = "settb=1/1000,setpts='floor(N*37+11*sin(N*2)+400*gt(N,12))'"


@pytest.fixture
def clip(clips: Clips) -> Path:
    """25 frames about 37 ms apart, but one, which is late."""
    options = ["-vf", UNEVEN, "-fps_mode", "passthrough", "-enc_time_base", "1/1000"]
    return clips.make("uneven.mkv", *picture(), *options, *H264)


def worst(clip: Path, made: Path) -> float:
    """Seconds by which a frame's time after the first one differs at most."""
    wanted, found = relative(starts(clip)), relative(starts(made))
    assert len(found) == len(wanted)
    return max(abs(a - b) for a, b in zip(wanted, found, strict=True))


def test_a_naive_conversion_moves_frames(clips: Clips, clip: Path) -> None:
    assert worst(clip, clips.naive(clip)) > 0.005


@pytest.mark.parametrize(
    ("container", "codec", "media"),
    [
        ("mp4", "h264", "480p-h264.mp4"),
        ("mkv", "h264", "480p-h264.mkv"),
        ("webm", "vp9", "480p-h264.webm"),
        ("mpegts", "h264", "480p-h264.ts"),
        ("hls", "h264", "480p-h264.m4s"),
        ("dash", "h265", "480p-h264-0.mp4"),
    ],
)
def test_each_frame_keeps_its_time(
    container: str, codec: str, media: str, clip: Path, convert: Convert
) -> None:
    preset = {"vp9": "8"}.get(codec, "veryfast")  # which reorders pictures, as the fastest does not
    report = convert(clip, container=container, codec=codec, preset=preset, segment_seconds=1)
    assert worst(clip, output(report).parent / media) <= 0.0015
    assert report.metrics["frames"] == report.metrics["source_frames"] == 25
    assert report.metrics["source_frame_rate"] == pytest.approx(24 / relative(starts(clip))[-1])


def test_a_rate_that_is_asked_for_makes_them_even(clip: Path, convert: Convert) -> None:
    times = relative(starts(output(convert(clip, fps=20))))
    assert times == pytest.approx([n / 20 for n in range(len(times))])


def test_a_duration_cuts_it_there(clip: Path, convert: Convert) -> None:
    report = convert(clip, duration=0.3)
    kept = [time for time in starts(clip) if time < 0.3]
    assert relative(starts(output(report))) == pytest.approx(relative(kept), abs=0.0015)
