"""Every track of sound is in the output, with its language, its layout and its place in time."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import pytest

from tests.agent.media.clips import H264, Clips, of_kind, output, picture, starts, tone
from tests.agent.media.conftest import Convert

TRACKS = [("aac", "deu"), ("aac", "fra")]


@pytest.fixture
def clip(clips: Clips) -> Path:
    """A picture, a track in German, and one in French with six channels."""
    sound = [*tone(440), *tone(880, layout="5.1(side)")]
    maps = ["-map", "0", "-map", "1", "-map", "2", "-c:a:0", "aac", "-c:a:1", "ac3"]
    about = ["-metadata:s:a:0", "language=deu", "-metadata:s:a:1", "language=fra"]
    about += ["-metadata:s:a:1", "title=Comment"]
    return clips.make("two.mkv", *picture(), *sound, *maps, *about, *H264)


def layouts(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [stream.layout.name for stream in container.streams.audio]


def test_a_naive_conversion_takes_one(clips: Clips, clip: Path) -> None:
    assert len(of_kind(clips.naive(clip), "audio")) == 1


@pytest.mark.parametrize("container", ["mp4", "mpegts"])
def test_all_are_encoded(container: str, clip: Path, convert: Convert) -> None:
    report = convert(clip, container=container)
    assert of_kind(output(report), "audio") == TRACKS
    assert layouts(output(report)) == ["mono", "5.1"]
    assert report.metrics["audio_tracks"] == 2


@pytest.mark.parametrize(("container", "codec"), [("mkv", "h264"), ("webm", "vp9")])
def test_opus_has_their_layouts_too(container: str, codec: str, clip: Path, convert: Convert) -> None:
    made = output(convert(clip, container=container, codec=codec, audio="opus"))
    assert of_kind(made, "audio") == [("opus", "deu"), ("opus", "fra")]
    assert layouts(made) == ["mono", "5.1"]


def test_titles_are_kept(clip: Path, convert: Convert) -> None:
    with av.open(str(output(convert(clip, container="mkv")))) as container:
        assert container.streams.audio[1].metadata["title"] == "Comment"


def test_they_are_copied_as_they_are(clip: Path, convert: Convert) -> None:
    assert of_kind(output(convert(clip, audio="copy")), "audio") == [("aac", "deu"), ("ac3", "fra")]


def test_what_cannot_be_copied_says_where_it_can(clip: Path, convert: Convert) -> None:
    report = convert(clip, codec="vp9", audio="copy")
    assert report.error is not None
    assert report.error.code == "input_invalid"
    assert "its sound is aac, which cannot be copied into webm; use container mkv" in report.error.message


def test_none_is_taken_when_none_is_asked_for(clip: Path, convert: Convert) -> None:
    assert of_kind(output(convert(clip, audio="none")), "audio") == []


def test_the_bitrate_is_that_of_two_channels(clip: Path, convert: Convert) -> None:
    command = str(convert(clip, audio_bitrate="96k").metrics["command"])
    assert "-b:a:0 96000" in command
    assert "-b:a:1 288000" in command


@pytest.mark.parametrize(
    ("audio", "container"), [("aac", "mp4"), ("copy", "mp4"), ("aac", "mpegts"), ("copy", "mkv")]
)
def test_sound_that_begins_late_stays_in_its_place(
    audio: str, container: str, clips: Clips, convert: Convert
) -> None:
    late = ["-itsoffset", "0.7", *tone(seconds=0.3), "-c:a", "aac", "-map", "0", "-map", "1"]
    made = output(convert(clips.make("late.mkv", *picture(), *late, *H264), container=container, audio=audio))
    delay = starts(made, "audio")[0] - starts(made)[0]
    assert delay == pytest.approx(0.7, abs=0.03)  # an encoder's first frame may lie before it


def test_a_gap_is_silence_and_moves_nothing(clips: Clips, convert: Convert) -> None:
    gap = ["-af", "aselect='lt(t,0.3)+gt(t,0.8)'", "-c:a", "pcm_s16le"]
    made = output(convert(clips.make("gap.mkv", *picture(), *tone(), *gap, *H264)))
    times = starts(made, "audio")
    assert times[-1] == pytest.approx(1, abs=0.06)
    assert max(b - a for a, b in pairwise(times)) < 0.03  # there is something to play all the while
