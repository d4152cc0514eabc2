"""The ffmpegs of one encode: one, or two of which the first looks where the bits are needed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from agent import steps
from agent.clip import clip_for
from agent.ffmpeg import command
from agent.ffmpeg.discover import FFmpeg
from agent.ffmpeg.process import Ended
from agent.ffmpeg.video import PASSES
from agent.inputs.measured import MeasuredInput
from agent.inputs.media import reopen
from agent.task import Task
from common.settings import EncodeSettings, hardware_of


def passes(
    task: Task, settings: EncodeSettings, ffmpeg: FFmpeg, output: str, given: MeasuredInput | None
) -> tuple[Sequence[str], Ended]:
    """The last command line of the encode into `output`, and how it ended; `AbortedError`.

    Of two passes the time is the sum, the memory the larger one, the log and the rest the last one's;
    the second is not begun if the first failed. Each has the limits of a whole encode.
    """
    if settings.rate.passes == 1:
        return _one(task, settings, ffmpeg, output, given, None)
    logs = task.directory / PASSES
    logs.mkdir()  # the attempt's own directory: no other attempt's logs are here
    try:
        argv, first = _one(task, settings, ffmpeg, output, given, 1)
        if first.returncode != 0 or first.why is not None:
            return argv, first
        argv, second = _one(task, settings, ffmpeg, output, given, 2)
        return argv, together(first, second)
    finally:
        shutil.rmtree(logs, ignore_errors=True)


def together(first: Ended, second: Ended) -> Ended:
    """What both cost, and how the second ended. Pure."""
    peaks = (first.peak_memory_bytes, second.peak_memory_bytes)
    return replace(
        second,
        cpu_seconds=first.cpu_seconds + second.cpu_seconds,
        wall_seconds=first.wall_seconds + second.wall_seconds,
        peak_memory_bytes=max((peak for peak in peaks if peak is not None), default=None),
    )


@contextmanager
def from_its_start(
    task: Task, settings: EncodeSettings, ffmpeg: FFmpeg, given: MeasuredInput | None, times: int = 1
) -> Iterator[list[int]]:
    """The input, or the complex clip, as descriptors for one ffmpeg more, which opens it so many times from
    its beginning; none for a picture that this ffmpeg makes itself.

    What `clip_for` raises.
    """
    own: list[int] = []
    with clip_for(task, settings, ffmpeg, given=given is not None) as clip:
        source = given or clip
        try:
            if source is not None:
                for _ in range(times):
                    own.append(reopen(source.descriptor))
            yield own
        finally:
            for descriptor in own:
                os.close(descriptor)


def _one(
    task: Task,
    settings: EncodeSettings,
    ffmpeg: FFmpeg,
    output: str,
    given: MeasuredInput | None,
    which: int | None,
) -> tuple[Sequence[str], Ended]:
    with from_its_start(task, settings, ffmpeg, given) as own:
        opened = own[0] if own else None
        task.tools.course.begin(steps.encode(settings, which))
        read, clip = (None, opened) if given is None else (opened, None)
        argv = command.build(str(ffmpeg.path), settings, output, read, ffmpeg.version, which, clip)
        ended = task.run(
            argv,
            task.tools.limits(settings if given is None else given.burden(settings)),
            descriptors=own,
            total_frames=settings.frames,
            on_progress=task.tools.on_progress,
            devices=hardware_of(settings.encoder) is not None,
        )
    return argv, ended
