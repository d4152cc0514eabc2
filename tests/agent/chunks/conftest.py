"""What these tests share: attempts on clips, and the windows between all cuts that are found."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.chunks.plan import find
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.source import DEMUXERS
from agent.ffmpeg.spawner import Spawner
from agent.inputs.measured import MeasuredInput
from agent.inputs.rules import InputRules
from agent.prober import measure
from agent.sandbox import Sandbox
from agent.task import Assignment, Task, Tools
from common.model import Divisible, Stage, Value, Window
from common.scenarios import SCENARIOS
from common.settings import resolve
from tests.agent.media.clips import Clips

MakeTask = Callable[..., Task]


@pytest.fixture
def clips(toolbox: Toolbox, tmp_path: Path) -> Clips:
    return Clips(toolbox.chosen["libx264"].path, tmp_path)


@pytest.fixture
def make_task(toolbox: Toolbox, spawner: Spawner, tmp_path: Path) -> MakeTask:
    """An attempt at a stage of a job with that clip."""

    def make_task(clip: Path, sandbox: Sandbox | None = None, files: Any = None, **more: Any) -> Task:
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        assignment = Assignment(
            "job-1", "480p-h264", more.pop("parameters", {}), "lease-1", 1,
            more.pop("input", f"media:clips/{clip.name}"), stage=Stage.PLAN, **more,
        )  # fmt: skip
        tools = Tools(
            toolbox, spawner, lambda _progress, _lines: None, threading.Event(),
            sandbox=sandbox or Sandbox(), inputs=InputRules({"clips": clip.parent}), files=files,
        )  # fmt: skip
        return Task(assignment, "node-1", tools, work, work)

    return make_task


def divided(task: Task, clip: Path, parameters: dict[str, Value] | None = None) -> Divisible:
    """Where the clip may be divided."""
    with clip.open("rb") as file:
        given = MeasuredInput(file.fileno(), measure(clip.name, file.fileno(), DEMUXERS))
        file.seek(0)
        settings = resolve(SCENARIOS["480p-h264"], parameters or {}, given.source)
        return find(task, settings, given)


def windows(found: Divisible) -> list[Window]:
    """One from each cut to the next."""
    ends = [*found.cuts[1:], None]
    return [
        Window(
            cut.frame,
            found.frames if after is None else after.frame,
            cut.lead[0],
            (cut.tick, found.end if after is None else after.tick, cut.lead[1]),
            found.time_base,
            cut.seek,
        )
        for cut, after in zip(found.cuts, ends, strict=True)
    ]
