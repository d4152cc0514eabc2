"""A file has something beside its picture: other tracks, chapters, or what somebody said of it."""

from __future__ import annotations

import pytest

from tests.agent.chunks.conftest import MakeTask, divided
from tests.agent.media.clips import H264, Clips, picture, tone

CHAPTER = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=One\n"
WORDS = "1\n00:00:00,100 --> 00:00:00,500\nHello\n"


PLAIN = ("-metadata:s:v:0", "handler_name=me", "-metadata:s:v:0", "language=und")


@pytest.mark.parametrize("file", ["a.mp4", "a.mkv", "a.ts"])
@pytest.mark.parametrize("options", [(), PLAIN], ids=["nothing", "und"])
def test_a_picture_alone_has_nothing_beside_it_whatever_muxers_write(
    file: str, options: tuple[str, ...], clips: Clips, make_task: MakeTask
) -> None:
    clip = clips.make(file, *picture("64x64"), *H264, *options)
    found = divided(make_task(clip), clip)
    assert (found.reason, found.others) == (None, False)


@pytest.mark.parametrize("file", ["a.mp4", "a.mkv"])
@pytest.mark.parametrize("said", ["title=A film", "comment=Cut by hand"])
def test_a_title_counts(file: str, said: str, clips: Clips, make_task: MakeTask) -> None:
    clip = clips.make(file, *picture("64x64"), *H264, "-metadata", said)
    found = divided(make_task(clip), clip)
    assert (found.reason, found.others) == (None, True)


def test_so_do_other_tracks_chapters_and_the_language_of_the_picture(
    clips: Clips, make_task: MakeTask
) -> None:
    (clips.directory / "chapters.txt").write_text(CHAPTER)
    (clips.directory / "words.srt").write_text(WORDS)
    for options in (
        (*tone(), *H264, "-c:a", "aac"),
        ("-i", "words.srt", *H264, "-c:s", "srt"),
        ("-i", "chapters.txt", "-map_chapters", "1", *H264),
        (*H264, "-metadata:s:v:0", "language=ita"),
    ):
        clip = clips.make("a.mkv", *picture("64x64"), *options)
        found = divided(make_task(clip), clip)
        assert (found.reason, found.others) == (None, True), options
