"""A joined file has the subtitles, chapters, names and attached files that an unsplit encode has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest

from tests.agent.media.clips import H264, Clips, of_kind, picture, tone
from tests.split.pieces import CLOSE, X264, Farm, packets

_CHAPTERS = """;FFMETADATA1
title=A film
[CHAPTER]
TIMEBASE=1/1000
START=0
END=700
title=One
[CHAPTER]
TIMEBASE=1/1000
START=700
END=2000
title=Two
"""
_SUBTITLES = "1\n00:00:00,500 --> 00:00:01,000\nHello\n\n2\n00:00:01,200 --> 00:00:01,800\nBye\n"


@pytest.fixture
def rich(clips: Clips) -> Path:
    """A clip with all of it."""
    (clips.directory / "chapters.txt").write_text(_CHAPTERS)
    (clips.directory / "said.srt").write_text(_SUBTITLES)
    (clips.directory / "font.ttf").write_text("no font")
    return clips.make(
        "rich.mkv",
        *(*picture(seconds=2), *tone(seconds=2), "-i", "said.srt", "-i", "chapters.txt"),
        *("-map", "0", "-map", "1", "-map", "2", "-map_metadata", "3", "-map_chapters", "3", *H264),
        *("-c:a", "aac", "-c:s", "srt", "-metadata:s:a:0", "language=fra", "-metadata:s:s:0", "language=deu"),
        *("-metadata:s:v:0", "language=ita", "-attach", "font.ttf"),
        *("-metadata:s:a:0", "title=In two\nlines; a = b", "-metadata:s:s:0", "title=Signs"),
        *("-metadata:s:v:0", "title=The picture", "-metadata", "creation_time=2020-01-01T00:00:00Z"),
        *("-disposition:a:0", "default+comment", "-disposition:s:0", "forced"),
        *("-metadata:s:t:0", "mimetype=application/x-truetype-font"),
    )


def said(path: Path) -> list[Any]:
    """The chapters, and what the file is called."""
    with av.open(str(path)) as container:
        marks = [
            (round(float(each["start"] * (each["time_base"] or 0)), 3), each["metadata"].get("title"))
            for each in container.chapters()
        ]
        return [*marks, container.metadata.get("title")]


def titles(path: Path) -> dict[str, tuple[str | None, int]]:
    """By its kind what a track is called, and what it is for."""
    with av.open(str(path)) as container:
        return {
            each.type: (
                each.metadata.get("title") or each.metadata.get("name"),
                int(each.disposition) if each.type != "video" else 0,
            )
            for each in container.streams
        }


@pytest.mark.parametrize("container", ["mkv", "mp4"])
def test_all_of_it_is_what_an_unsplit_encode_has(farm: Farm, rich: Path, container: str) -> None:
    split = farm.split(rich, X264, (20,), container=container)
    whole = farm.whole(rich, container=container)
    assert said(split) == said(whole)
    assert said(split)[0] == (0.0, "One")
    for kind in ("video", "audio", "subtitle", "attachment"):
        assert of_kind(split, kind) == of_kind(whole, kind)
    assert titles(split) == titles(whole)
    assert titles(split)["audio"][0] == "In two\nlines; a = b"
    assert packets(split, "subtitle") == pytest.approx(packets(whole, "subtitle"), abs=CLOSE)


def test_copied_sound_stays_in_step(farm: Farm, clips: Clips) -> None:
    clip = clips.make("clip.mp4", *picture(seconds=2), *tone(seconds=2), *H264, "-c:a", "aac")
    split = farm.split(clip, X264, (20,), container="mkv", audio="copy")
    whole = farm.whole(clip, container="mkv", audio="copy")
    for kind in ("video", "audio"):
        assert packets(split, kind) == pytest.approx(packets(whole, kind), abs=CLOSE)


def test_a_loudness_that_was_asked_for_is_met(farm: Farm, clips: Clips) -> None:
    clip = clips.make("clip.mp4", *picture(seconds=2), *tone(seconds=2), *H264, "-c:a", "aac")
    part = farm.sound(clip, {"loudness": -23.0})
    assert part.metrics["loudness"] == pytest.approx(-23, abs=0.5)
