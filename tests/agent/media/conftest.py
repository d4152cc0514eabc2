"""What these tests share: clips in a directory, and jobs on them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Protocol

import pytest

from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.inputs.rules import InputRules
from agent.runner import run_job
from agent.task import Assignment
from common.model import Report, Value
from tests.agent.media.clips import Clips


class Convert(Protocol):
    """Runs a job on a clip; with `codec` h264 and the fastest preset unless told otherwise."""

    def __call__(self, clip: Path, scenario: str = "480p-h264", **parameters: Value) -> Report: ...


@pytest.fixture
def clips(toolbox: Toolbox, tmp_path: Path) -> Clips:
    return Clips(toolbox.chosen["libx264"].path, tmp_path)


@pytest.fixture
def convert(toolbox: Toolbox, spawner: Spawner, tmp_path: Path) -> Convert:
    def convert(clip: Path, scenario: str = "480p-h264", **parameters: Value) -> Report:
        if parameters.get("codec", "h264") in ("h264", "h265"):
            parameters = {"preset": "ultrafast", **parameters}
        report = run_job(
            Assignment("job-1", scenario, parameters, "lease-1", 1, f"media:clips/{clip.name}"),
            "node-1",
            toolbox,
            spawner,
            tmp_path / "work",
            lambda _progress, _lines: None,
            threading.Event(),
            inputs=InputRules({"clips": clip.parent}),
        )
        assert report is not None
        return report

    return convert
