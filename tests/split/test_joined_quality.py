"""The quality of a joined file is that of all frames of its chunks, as if they had been measured at once."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from agent.task import PartDone
from tests.agent.media.clips import H264, Clips, picture
from tests.split.pieces import X264, Farm, scores, ticks_of, windows, with_scores


@pytest.fixture
def clip(clips: Clips) -> Path:
    return clips.make("clip.mp4", *picture(), *H264)


@pytest.fixture
def parts(farm: Farm, clip: Path) -> list[PartDone]:
    ticks, _, _ = ticks_of(clip)
    made = []
    for number, window in enumerate(windows(clip, (10,)), 1):
        own = ticks[window.first : window.end]
        values = [90.0 + frame for frame in range(window.first, window.end)]
        scores(
            clip.parent / f"scores-{number}.json",
            own,
            scores={"vmaf": [value / 2 for value in values], "psnr": [value / 3 for value in values]},
            model="vmaf_v0.6.1",
        )
        made.append(with_scores(farm.chunk(clip, number, window, X264), f"scores-{number}.json"))
    return made


def test_statistics_are_of_all_frames(farm: Farm, clip: Path, parts: list[PartDone]) -> None:
    report = farm.joined(clip, parts, {"quality": ("vmaf", "psnr")}, output="media:clips/film.mp4")
    assert report.error is None, report.error
    assert report.metrics["vmaf_mean"] == pytest.approx((90 + 114) / 4)
    assert report.metrics["psnr_mean"] == pytest.approx((90 + 114) / 6)
    assert report.metrics["vmaf_model"] == "vmaf_v0.6.1"
    table = next(each for each in report.findings.artifacts if each.kind == "quality")
    assert table.location is not None
    with (clip.parent / table.location.removeprefix("media:clips/")).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frame"]) for row in rows] == list(range(25))
    assert [float(row["time"]) for row in rows] == pytest.approx([frame / 25 for frame in range(25)])
    assert float(rows[24]["vmaf"]) == pytest.approx(57)


def test_what_one_chunk_lacks_is_null_with_its_reason(farm: Farm, clip: Path, parts: list[PartDone]) -> None:
    ticks, _, _ = ticks_of(clip)
    psnr = {"psnr": [30.0] * 15}
    scores(clip.parent / "scores-2.json", ticks[10:], scores=psnr, notes={"vmaf": "no ffmpeg has it"})
    report = farm.joined(clip, parts, {"quality": ("vmaf", "psnr")})
    assert report.error is None, report.error
    assert report.metrics["vmaf_mean"] is None
    assert report.metrics["psnr_mean"] is not None
    assert "vmaf was not measured: chunk-002: no ffmpeg has it" in report.findings.warnings


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2}', "[" * 100_000, '{"format":1,"ticks":[1]}'])
def test_scores_that_cannot_be_read_are_none(
    farm: Farm, clip: Path, parts: list[PartDone], text: str
) -> None:
    (clip.parent / "scores-1.json").write_text(text or "?")
    report = farm.joined(clip, parts, {"quality": ("psnr",)})
    assert report.error is None, report.error
    assert report.metrics["psnr_mean"] is None
    assert any("psnr was not measured: chunk-001" in each for each in report.findings.warnings)
