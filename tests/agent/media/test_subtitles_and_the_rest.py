"""Subtitles and chapters are kept where the container takes them; covers and data are no tracks."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import pytest

from tests.agent.media.clips import H264, Clips, of_kind, output, picture, streams, tone
from tests.agent.media.conftest import Convert

TEXT = "1\n00:00:00,200 --> 00:00:00,600\nhello\n"
CHAPTERS = (
    ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=one\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=500\nEND=1000\ntitle=two\n"
)


def _segment(kind: int, at: float, payload: bytes = b"") -> bytes:
    return b"PG" + struct.pack(">IIBH", round(at * 90_000), 0, kind, len(payload)) + payload


SUP = b"".join(
    _segment(0x16, at, struct.pack(">HHBHBBBB", 160, 90, 0x10, number, 0x80, 0, 0, 0)) + _segment(0x80, at)
    for number, at in enumerate((0.2, 0.6))
)
"""Subtitles as a Blu-ray has them: two pictures with nothing in them."""


@pytest.fixture
def clip(clips: Clips) -> Path:
    """A picture, two tracks of subtitles, two chapters, and an attached file."""
    (clips.directory / "a.srt").write_text(TEXT)
    (clips.directory / "chapters.txt").write_text(CHAPTERS)
    given = [*picture(), "-i", "a.srt", "-i", "a.srt", "-i", "chapters.txt"]
    maps = ["-map", "0", "-map", "1", "-map", "2", "-map_metadata", "3", "-c:s:0", "subrip", "-c:s:1", "ass"]
    about = ["-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=deu"]
    font = ["-attach", "a.srt", "-metadata:s:t", "mimetype=font/ttf", "-metadata:s:t", "filename=a.ttf"]
    return clips.make("rich.mkv", *given, *maps, *about, *font, *H264)


@pytest.mark.parametrize(
    ("container", "codec", "expected"),
    [
        ("mp4", "h264", [("mov_text", "eng"), ("mov_text", "deu")]),
        ("mkv", "h264", [("subrip", "eng"), ("ass", "deu")]),
        ("webm", "vp9", [("webvtt", "eng"), ("webvtt", "deu")]),
    ],
)
def test_subtitles_and_chapters_are_kept(
    container: str, codec: str, expected: list[tuple[str, str]], clip: Path, convert: Convert
) -> None:
    report = convert(clip, container=container, codec=codec)
    made = output(report)
    assert of_kind(made, "subtitle") == expected
    assert report.metrics["subtitle_tracks"] == 2
    assert report.findings.warnings == ()
    with av.open(str(made)) as opened:
        assert [chapter["metadata"]["title"] for chapter in opened.chapters()] == ["one", "two"]


def test_fonts_that_subtitles_need_are_kept_where_they_can_be(clip: Path, convert: Convert) -> None:
    def attached(path: Path) -> list[str]:
        with av.open(str(path)) as opened:
            return [s.metadata["filename"] for s in opened.streams if s.type == "attachment"]

    assert attached(clip) == ["a.ttf"]
    assert attached(output(convert(clip, container="mkv"))) == ["a.ttf"]
    assert attached(output(convert(clip))) == []


def test_a_naive_conversion_loses_the_subtitles(clips: Clips, clip: Path) -> None:
    assert of_kind(clips.naive(clip), "subtitle") == []


def test_they_are_left_out_when_that_is_asked_for(clip: Path, convert: Convert) -> None:
    report = convert(clip, subtitles="none")
    assert of_kind(output(report), "subtitle") == []
    assert report.findings.warnings == ()


def test_where_they_cannot_be_kept_that_is_told(clip: Path, convert: Convert) -> None:
    report = convert(clip, container="mpegts")
    assert report.error is None
    assert report.findings.warnings == ("2 tracks of subtitles were left out: mpegts holds no ass, subrip",)


def test_pictures_as_subtitles_are_kept_where_they_can_be(clips: Clips, convert: Convert) -> None:
    (clips.directory / "a.sup").write_bytes(SUP)
    given = [*picture(), "-f", "sup", "-i", "a.sup", "-map", "0", "-map", "1", "-c:s", "copy"]
    clip = clips.make("pictures.mkv", *given, "-metadata:s:s", "language=eng", *H264)
    assert of_kind(output(convert(clip, container="mkv")), "subtitle") == [("hdmv_pgs_subtitle", "eng")]
    report = convert(clip)
    assert of_kind(output(report), "subtitle") == []
    assert report.findings.warnings == ("a track of subtitles was left out: mp4 holds no hdmv_pgs_subtitle",)


def test_a_cover_is_no_video_and_no_reason_to_warn(clips: Clips, convert: Convert) -> None:
    cover = clips.make("cover.png", *picture("32x32"), "-frames:v", "1")
    maps = ["-map", "1", "-map", "0", "-map", "2", "-c:v:0", "copy", "-disposition:v:0", "attached_pic"]
    given = [*picture(), "-i", cover.name, *tone()]
    clip = clips.make("covered.mp4", *given, *maps, "-c:v:1", "libx264", "-preset", "ultrafast")
    report = convert(clip)
    assert [kind for kind, _, _ in streams(output(report))] == ["video", "audio"]
    assert (report.metrics["frames"], report.metrics["width"]) == (25, 160)
    assert report.findings.warnings == ()


def test_a_track_of_data_is_left_out(clips: Clips, convert: Convert) -> None:
    clip = clips.make("data.mov", *picture(), *H264, "-timecode", "01:00:00:00")
    assert [kind for kind, _, _ in streams(clip)] == ["video", "data"]
    assert [kind for kind, _, _ in streams(output(convert(clip)))] == ["video"]
