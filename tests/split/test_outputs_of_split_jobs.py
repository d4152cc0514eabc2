"""A split job writes its output as any job: never over its own input, and what cannot be is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.model import Stage, Value
from tests.agent.media.clips import H264, Clips, picture
from tests.split.pieces import X264, Farm, windows

SPLIT: dict[str, Value] = {"split": 2, "crf": 30, "audio": "none"}


@pytest.fixture
def clip(clips: Clips) -> Path:
    return clips.make("clip.mp4", *picture(), *H264)


def test_its_input_is_never_replaced(farm: Farm, clip: Path) -> None:
    before = clip.read_bytes()
    given: dict[str, Value] = {**SPLIT, "overwrite": True}
    parts = [farm.chunk(clip, number, each, X264) for number, each in enumerate(windows(clip, (12,)), 1)]
    (clip.parent / "same.mp4").hardlink_to(clip)
    for name in ("clip.mp4", "same.mp4"):
        report = farm.joined(clip, parts, given, output=f"media:clips/{name}")
        assert report.error is not None
        assert (report.error.code, "is the input itself" in report.error.message) == ("output_refused", True)
    planned = farm.run(clip, Stage.PLAN, "media:clips/clip.mp4", given)
    assert planned.error is not None
    assert planned.error.code == "output_refused"
    assert clip.read_bytes() == before


def test_a_plan_fails_where_the_output_is_there_already(farm: Farm, clip: Path) -> None:
    (clip.parent / "film.mp4").write_bytes(b"a film")
    report = farm.run(clip, Stage.PLAN, "media:clips/film.mp4", SPLIT)
    assert report.error is not None
    assert report.error.code == "output_exists"
    assert farm.run(clip, Stage.PLAN, "media:clips/film.mp4", {**SPLIT, "overwrite": True}).error is None


def test_pictures_are_made_once_beside_the_joined_file(farm: Farm, clip: Path) -> None:
    given: dict[str, Value] = {**SPLIT, "pictures": True}
    planned = farm.run(clip, Stage.PLAN, "media:clips/film.mp4", given)
    assert planned.error is None, planned.error
    assert planned.findings.artifacts == ()
    parts = [farm.chunk(clip, number, each, X264) for number, each in enumerate(windows(clip, (12,)), 1)]
    report = farm.joined(clip, parts, given, output="media:clips/film.mp4")
    assert report.error is None, report.error
    kinds = [each.kind.value for each in report.findings.artifacts]
    assert kinds[0] == "video"
    assert "poster" in kinds
    assert (clip.parent / "film.mp4").is_file()
