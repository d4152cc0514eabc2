"""A browser plays a joined file from its beginning to its end, and leads to any seam."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.agent.media.clips import H264, Clips, picture, tone
from tests.browser import said_by
from tests.masters import ROOT
from tests.split.chunks import chunks
from tests.split.pieces import Farm


def test_it_is_played_whole_and_seeks_to_each_seam(farm: Farm, clips: Clips, tmp_path: Path) -> None:
    clip = clips.make("clip.mp4", *picture(seconds=3), *tone(seconds=3), *H264, "-bf", "3", "-c:a", "aac")
    given = {"preset": "veryfast"}
    parts = [farm.sound(clip, given), *chunks(farm, clip, [20, 45], 8, **given)]
    report = farm.joined(clip, parts, given, output="media:clips/film.mp4")
    assert report.error is None, report.error
    shutil.copy(ROOT / "tests/player/film.html", clips.directory)
    said = said_by("film.html?film=film.mp4&seek=0.81,1.81,2.81", clips.directory, tmp_path / "profile")
    assert (said["errors"], said["ended"]) == ([], True)
    assert said["duration"] == pytest.approx(3, abs=0.05)
    assert said["time"] == pytest.approx(3, abs=0.05)
    assert [shown for _, shown in said["sought"]] == pytest.approx([0.8, 1.8, 2.8], abs=0.002)
    frames = said["frames"]
    assert frames == sorted(set(frames))
    assert {round(frame * 25, 2) % 1 for frame in frames} == {0.0}
