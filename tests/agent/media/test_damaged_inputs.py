"""Of a damaged input all that can be read is encoded, and a warning says how much that was."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from common.model import Report
from tests.agent.media.clips import H264, Clips, frames, output, picture, tone
from tests.agent.media.conftest import Convert


def film(clips: Clips, name: str, seconds: float = 4) -> bytes:
    """A clip whose index is at its beginning."""
    options = [*H264, "-g", "10", "-c:a", "aac", "-movflags", "+faststart"]
    return clips.make(name, *picture(seconds=seconds), *tone(seconds=seconds), *options).read_bytes()


def warning(report: Report) -> str:
    assert len(report.findings.warnings) == 1, report.findings.warnings
    return report.findings.warnings[0]


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv"])
def test_a_missing_end_is_told_and_the_rest_is_encoded(name: str, clips: Clips, convert: Convert) -> None:
    whole = film(clips, name)
    clip = clips.directory / name
    clip.write_bytes(whole[: len(whole) // 2])
    report = convert(clip)
    made = len(list(frames(output(report))))
    assert 40 < made < 60
    assert report.metrics["frames"] == made
    assert warning(report).startswith("the input is cut off: its last ")
    assert f"{made} " in warning(report)


def test_a_missing_end_of_a_short_clip_is_told_though_it_is_less_than_a_second(
    clips: Clips, convert: Convert
) -> None:
    whole = film(clips, "short.mkv", seconds=2)
    clip = clips.directory / "short.mkv"
    clip.write_bytes(whole[: len(whole) * 7 // 10])
    report = convert(clip)
    assert 25 < len(list(frames(output(report)))) < 45
    assert warning(report).startswith("the input is cut off: its last 0.")


def test_a_naive_conversion_says_nothing_that_a_program_hears(clips: Clips) -> None:
    whole = film(clips, "cut.mp4")
    (clips.directory / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    assert len(list(frames(clips.naive(clips.directory / "cut.mp4")))) < 60  # and it ended with code 0


@pytest.mark.parametrize("name", ["hole.mp4", "hole.mkv", "hole.ts"])
def test_a_hole_is_told_and_the_rest_is_encoded(name: str, clips: Clips, convert: Convert) -> None:
    whole = bytearray(film(clips, name))
    middle = len(whole) // 2
    whole[middle : middle + 4000] = random.Random(4).randbytes(4000)
    (clips.directory / name).write_bytes(whole)
    report = convert(clips.directory / name)
    assert report.metrics["frames"] == len(list(frames(output(report))))
    assert warning(report).startswith("the input is damaged; ")
    assert f"{report.metrics['frames']}" in warning(report)


def test_at_a_rate_that_is_asked_for_it_is_told_too(clips: Clips, convert: Convert) -> None:
    whole = film(clips, "cut.mkv")
    (clips.directory / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    report = convert(clips.directory / "cut.mkv", fps=10)
    assert 16 < int(str(report.metrics["frames"])) < 24
    assert warning(report).startswith("the input is cut off: its last ")


def test_a_recording_that_begins_amid_a_group_of_pictures_is_told(clips: Clips, convert: Convert) -> None:
    options = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25"]
    whole = clips.make("joined.ts", *picture(seconds=2), *options).read_bytes()
    packets = [whole[i : i + 188] for i in range(0, len(whole), 188)]
    start = next(i for i in range(len(packets) // 4, len(packets)) if packets[i][1:3] == packets[0][1:3])
    clip = clips.directory / "joined.ts"
    clip.write_bytes(b"".join(packets[start:]))
    report = convert(clip)
    assert report.error is None
    assert "the input is damaged" in warning(report)


def noisy(clips: Clips, share: float) -> Path:
    """A clip whose index is whole, and of whose frames only the first `share` is."""
    noise = random.Random(5).randbytes
    clip = clips.make("noise.mp4", *picture(), *H264)
    whole = bytearray(clip.read_bytes())
    begin, end = whole.index(b"mdat") + 4, whole.index(b"moov") - 4
    start = begin + round(share * (end - begin))
    whole[start:end] = noise(end - start)
    clip.write_bytes(whole)
    return clip


def test_a_little_that_can_be_read_is_encoded(clips: Clips, convert: Convert) -> None:
    report = convert(noisy(clips, 0.15))
    assert report.error is None
    assert 1 <= int(str(report.metrics["frames"])) < 8
    assert "the input is damaged" in warning(report)


def test_one_in_which_no_picture_can_be_decoded_is_refused(clips: Clips, convert: Convert) -> None:
    report = convert(noisy(clips, 0))
    assert report.error is not None
    assert report.error.code == "input_invalid"
    assert not list(Path(clips.directory / "work").rglob("*.mp4*"))
