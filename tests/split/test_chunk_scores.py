"""A chunk tells how good each of its own frames is, and finds the CRF for a VMAF by itself."""

from __future__ import annotations

import os

import pytest

from agent.chunks.scores import read
from tests.agent.media.clips import picture
from tests.split.chunks import file_of, run_chunk
from tests.split.pieces import Farm, windows


def test_its_scores_are_those_of_its_own_frames_and_near_the_target(farm: Farm) -> None:
    clip = farm.clips.make("clip.mp4", *picture("320x180", "30", 2), "-c:v", "libx264", "-crf", "10")
    window = windows(clip, [20, 40], 7)[1]
    report = run_chunk(farm, clip, "chunk-002", window, {"target_vmaf": 80.0, "quality": ("psnr",)})
    descriptor = os.open(file_of(farm, report, "scores.json"), os.O_RDONLY)
    try:
        found = read(descriptor, window)
    finally:
        os.close(descriptor)
    assert set(found.values) == {"vmaf", "psnr"}
    assert sum(found.values["vmaf"]) / 20 == pytest.approx(80, abs=2)
    assert float(str(report.metrics["crf"])) > 1
