"""Encodes samples of an input with a CRF, and measures what their VMAF is."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

from agent import steps
from agent.accept import judge
from agent.encode import ffmpeg_for
from agent.ffmpeg import samples
from agent.ffmpeg.compare import Feed
from agent.ffmpeg.discover import FFmpeg
from agent.ffmpeg.samples import Samples
from agent.ffmpeg.source import opened
from agent.inputs.measured import MeasuredInput
from agent.passes import from_its_start
from agent.quality.compare import NotMeasuredError, compare
from agent.quality.measure import comparison, opened_file
from agent.task import Task
from common.model import CrfProbe
from common.settings import EncodeSettings


def probe_crf(task: Task, settings: EncodeSettings, given: MeasuredInput | None) -> CrfProbe:
    """What samples of the input are like with the CRF of `settings`.

    `NotMeasuredError` if that cannot be told; `AbortedError`.
    """
    chosen = samples.choose(settings.duration, made=given is None)
    own = replace(task, directory=task.directory / "samples")
    own.directory.mkdir()
    try:
        return _probe(own, settings, given, chosen)
    finally:
        shutil.rmtree(own.directory, ignore_errors=True)


def _probe(task: Task, settings: EncodeSettings, given: MeasuredInput | None, chosen: Samples) -> CrfProbe:
    ffmpeg = ffmpeg_for(task, settings)
    frames = max(1, round(chosen.seconds * settings.fps))
    path = _encoded(task, settings, given, chosen, ffmpeg, frames)
    with (
        opened_file(path) as own,
        from_its_start(task, settings, ffmpeg, given, max(1, len(chosen.starts))) as theirs,
    ):
        wanted = comparison(
            settings,
            Feed((tuple(opened(own, ffmpeg.version)),)),
            samples.feed(settings, chosen, theirs, ffmpeg.version),
            settings.pixel_format,
            ("vmaf",),
        )
        found = compare(task, wanted, [own, *theirs], frames, None).frames
        size = os.fstat(own).st_size
    values = found.values["vmaf"]
    seconds = found.output[-1] - found.output[0] + 1 / settings.fps
    return CrfProbe(
        settings.rate.crf or 0.0,
        round(sum(values) / len(values), 6),
        round(size * 8 / seconds, 3),
        whole=False,
    )


def _encoded(
    task: Task,
    settings: EncodeSettings,
    given: MeasuredInput | None,
    chosen: Samples,
    ffmpeg: FFmpeg,
    frames: int,
) -> Path:
    tools = task.tools
    some = replace(settings, duration=chosen.seconds)
    with from_its_start(task, settings, ffmpeg, given, max(1, len(chosen.starts))) as own:
        source = samples.feed(settings, chosen, own, ffmpeg.version)
        tools.course.begin(steps.encode(settings, frames=frames))
        ended = task.run(
            samples.encode(str(ffmpeg.path), settings, source),
            tools.limits(some if given is None else given.burden(some)),
            descriptors=own,
            total_frames=frames,
            on_progress=tools.on_progress,
        )
    failure = judge(ended)
    if failure is not None:
        raise NotMeasuredError(failure.message)
    return task.directory / samples.FILE
