"""Chunks that do not fit together fail the join with the name of one that does not, and leave nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent.task import PartDone
from common.model import Window
from tests.agent.media.clips import H264, Clips, picture
from tests.split.pieces import X264, Farm, windows


@pytest.fixture
def clip(clips: Clips) -> Path:
    return clips.make("clip.mp4", *picture(), *H264)


@pytest.fixture
def parts(farm: Farm, clip: Path) -> list[PartDone]:
    return [farm.chunk(clip, number, window, X264) for number, window in enumerate(windows(clip, (12,)), 1)]


def _shifted(parts: list[PartDone]) -> list[PartDone]:
    window = parts[1].window
    assert isinstance(window, Window)
    first, end, lead = window.ticks
    moved = replace(window, ticks=(first, end, lead + 512))
    return [parts[0], replace(parts[1], window=moved)]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            lambda parts: [parts[0], replace(parts[1], artifacts=parts[0].artifacts)],
            "chunk-002 does not begin",
        ),
        (_shifted, "chunk-002 does not begin with a key frame"),
        (lambda parts: [parts[0], replace(parts[1], artifacts=())], "chunk-002 has made no chunk.mp4"),
        (lambda parts: [parts[0], replace(parts[1], window=None)], "did not say which frames chunk-002 has"),
        (lambda parts: parts[1:], "the chunks could not be joined"),
    ],
)
def test_the_join_says_which_chunk_is_wrong(
    farm: Farm,
    clip: Path,
    parts: list[PartDone],
    wrong: Callable[[list[PartDone]], list[PartDone]],
    sentence: str,
) -> None:
    report = farm.joined(clip, wrong(parts), {}, output="media:clips/film.mp4")
    assert report.error is not None
    assert sentence in report.error.message
    assert not (clip.parent / "film.mp4").exists()


def test_chunks_with_other_headers_are_not_joined(farm: Farm, clip: Path, parts: list[PartDone]) -> None:
    other = ("-c:v", "libx264", "-preset", "veryfast", "-threads", "1", "-x264-params", "ref=5:stitchable=1")
    chunk = farm.chunk(clip, 2, windows(clip, (12,))[1], other)
    report = farm.joined(clip, [parts[0], chunk], {})
    assert report.error is not None
    assert report.error.code == "output_invalid"
    assert "chunk-002 was encoded with other headers" in report.error.message


def test_a_chunk_that_is_no_video_is_not_joined(farm: Farm, clip: Path, parts: list[PartDone]) -> None:
    (clip.parent / "chunk-002.mp4").write_bytes(b"no video" * 100)
    report = farm.joined(clip, parts, {})
    assert report.error is not None
    assert "chunk-002 cannot be read" in report.error.message


def test_equal_chunks_become_equal_files(farm: Farm, clip: Path, parts: list[PartDone]) -> None:
    for container in ("mp4", "mkv"):
        names = [f"{container}-{number}.{container}" for number in (1, 2)]
        for name in names:
            report = farm.joined(clip, parts, {"container": container}, output=f"media:clips/{name}")
            assert report.error is None, report.error
        one, two = (clip.parent.joinpath(name).read_bytes() for name in names)
        assert one == two
