"""A file may begin before zero, long after it, or amid its own packets: frames and sound stay in step."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.media.clips import Clips, output, picture, relative, starts, tone
from tests.agent.media.conftest import Convert

REORDERED = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "10")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("after.ts", ["-output_ts_offset", "5000"]),
        ("after.mp4", ["-output_ts_offset", "3"]),
    ],
)
def test_wherever_it_begins_all_frames_are_there(
    name: str, options: list[str], clips: Clips, convert: Convert
) -> None:
    clip = clips.make(name, *picture(), *tone(), *REORDERED, "-c:a", "aac", *options)
    report = convert(clip)
    made = output(report)
    assert report.metrics["frames"] == 25
    assert relative(starts(made)) == pytest.approx(relative(starts(clip)), abs=0.0015)
    assert starts(made)[0] == pytest.approx(0, abs=0.05)
    assert apart(made) == pytest.approx(apart(clip), abs=0.03)
    assert report.findings.warnings == ()


def test_frames_without_times_get_theirs(clips: Clips, convert: Convert) -> None:
    clip = clips.make("no-times.avi", *picture(), "-c:v", "mpeg4", "-bf", "2")
    made = output(convert(clip))
    assert relative(starts(made)) == pytest.approx([n / 25 for n in range(25)], abs=0.0015)


def test_frames_before_zero_are_kept(clips: Clips, convert: Convert) -> None:
    """Matroska has no times below zero: those frames have none, but for the order they come in."""
    before = ["-output_ts_offset", "-0.5", "-avoid_negative_ts", "disabled"]
    report = convert(clips.make("before.mkv", *picture(), *tone(), *REORDERED, "-c:a", "aac", *before))
    times = relative(starts(output(report)))
    assert len(times) == 25
    assert times == pytest.approx([n / 25 for n in range(25)], abs=0.03)
    assert report.findings.warnings == ()


def test_an_edit_list_is_obeyed(clips: Clips, convert: Convert) -> None:
    long = clips.make("long.mp4", *picture(seconds=2), *tone(seconds=2), *REORDERED, "-c:a", "aac")
    clip = clips.make("edited.mp4", "-ss", "0.7", "-i", long.name, "-c", "copy")
    report = convert(clip)
    made = output(report)
    assert len(starts(made)) == len(starts(clip)) < 35
    assert apart(made) == pytest.approx(apart(clip), abs=0.05)
    assert report.findings.warnings == ()


def test_a_picture_that_begins_late_stays_behind_the_sound(clips: Clips, convert: Convert) -> None:
    clip = clips.make("late.mkv", "-itsoffset", "0.5", *picture(), *tone(seconds=1.5), *REORDERED)
    made = output(convert(clip))
    assert starts(made)[0] - max(0.0, starts(made, "audio")[0]) == pytest.approx(0.5, abs=0.03)


def apart(path: Path) -> float:
    """Seconds from the first frame to the first sound; what lies before zero is an encoder's priming."""
    begins = min(starts(path)[0], starts(path, "audio")[0])
    return max(starts(path, "audio")[0], min(0.0, begins)) - starts(path)[0]
