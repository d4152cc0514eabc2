"""Sound is brought to the loudness that is asked for, and the result is measured."""

from __future__ import annotations

import re

import pytest

from tests.agent.media.clips import H264, Clips, output, picture
from tests.agent.media.conftest import Convert

SPEECH = "aevalsrc='0.05*sin(880*t)*(0.3+abs(sin(2*t)))':duration=4"


@pytest.mark.parametrize(
    ("target", "container", "audio", "media"),
    [
        (-23.0, "mp4", "aac", "480p-h264.mp4"),
        (-16.0, "mkv", "opus", "480p-h264.mkv"),
        (-23.0, "dash", "aac", "480p-h264-1.mp4"),
    ],
)
def test_it_is_within_half_a_unit(
    target: float, container: str, audio: str, media: str, clips: Clips, convert: Convert
) -> None:
    quiet = ["-f", "lavfi", "-i", SPEECH, "-c:a", "aac"]
    clip = clips.make("quiet.mp4", *picture(seconds=4, rate="5"), *quiet, *H264)
    assert measured(clips, clip.name) < -28
    report = convert(clip, loudness=target, container=container, audio=audio)
    found = measured(clips, str((output(report).parent / media).relative_to(clips.directory)))
    assert found == pytest.approx(target, abs=0.5)
    assert report.metrics["loudness"] == pytest.approx(found, abs=0.1)
    assert report.findings.warnings == ()


def test_without_a_target_it_is_as_loud_as_it_was(clips: Clips, convert: Convert) -> None:
    quiet = ["-f", "lavfi", "-i", SPEECH, "-c:a", "aac"]
    clip = clips.make("quiet.mp4", *picture(seconds=4, rate="5"), *quiet, *H264)
    report = convert(clip)
    found = measured(clips, str(output(report).relative_to(clips.directory)))
    assert found == pytest.approx(measured(clips, clip.name), abs=0.3)
    assert "loudness" not in report.metrics


def test_silence_stays_silent_and_is_told(clips: Clips, convert: Convert) -> None:
    silence = ["-f", "lavfi", "-i", "anullsrc=d=1", "-c:a", "aac"]
    report = convert(clips.make("silent.mp4", *picture(), *silence, *H264), loudness=-23)
    assert report.error is None
    assert report.findings.warnings == ("the sound is silent: it was left as it is",)


def measured(clips: Clips, name: str) -> float:
    """LUFS, by ffmpeg's meter of EBU R128."""
    said = clips.says("-i", name, "-map", "0:a:0", "-af", "ebur128=framelog=quiet", "-f", "null", "-")
    return float(re.findall(r"I:\s+(-?[\d.]+) LUFS", said)[-1])
