"""Runs a comparison in the sandbox, and judges whether its numbers can be believed."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent import steps
from agent.accept import judge
from agent.advance import unseen
from agent.ffmpeg import compare as command
from agent.ffmpeg.compare import Comparison
from agent.ffmpeg.discover import FFmpeg
from agent.ffmpeg.limits import limits_of_comparison
from agent.ffmpeg.pixels import depth
from agent.quality.alignment import misaligned
from agent.quality.frames import Frames, UnreadableError, read
from agent.task import Task

FILTERS = {"vmaf": "libvmaf", "psnr": "psnr", "ssim": "ssim", "xpsnr": "xpsnr"}
"""By method, the filter of ffmpeg's."""
_LISTED = re.compile(r"^ +[T.][S.][C.]? +(\S+) ", re.MULTILINE)
_HIGH_RANGE = ("smpte2084", "arib-std-b67")
_SECONDS = 20.0


class NotMeasuredError(Exception):
    """There are no numbers; the message, which goes on after "the quality was not measured:", says why."""


class NoFilterError(NotMeasuredError):
    """No ffmpeg of this node can measure; another node's may."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison that can be believed."""

    frames: Frames
    high_range: bool
    """Whether the pictures have a high dynamic range."""


def compare(
    task: Task, comparison: Comparison, descriptors: Sequence[int], expected: int, counted: int | None
) -> Compared:
    """Compares frame by frame; nothing of it is left in the attempt's directory.

    `expected`: about how many frames there are; `counted`: how many the probe of the output found.
    `NotMeasuredError` if it fails, or if the frames do not correspond; `AbortedError`.
    """
    ffmpeg = _able(task, comparison.methods)
    directory = task.directory / "measure"
    directory.mkdir()  # not where the output is: who reads that for the second time cannot change it
    try:
        cores = os.cpu_count() or 1
        size = comparison.width, comparison.height
        task.tools.course.begin(steps.compare(comparison.methods, *size, expected, cores))
        ended = task.run(
            command.build(str(ffmpeg.path), comparison, cores),
            limits_of_comparison(*size, expected, cores),
            directory=directory,
            descriptors=descriptors,
            total_frames=expected,
            on_progress=unseen(task.tools.on_progress),
        )
        failure = judge(ended)
        if failure is not None:
            raise NotMeasuredError(failure.message)
        frames = read(directory, comparison.methods, depth(comparison.pixel_format))
    except UnreadableError as error:
        raise NotMeasuredError(str(error)) from error
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    why = misaligned(
        frames.output, frames.reference, [len(values) for values in frames.values.values()], counted
    )
    if why is not None:
        raise NotMeasuredError(why)
    pictures = [line for line in ended.log if "Video: wrapped_avframe" in line]
    return Compared(frames, any(transfer in line for line in pictures for transfer in _HIGH_RANGE))


def _able(task: Task, methods: Iterable[str]) -> FFmpeg:
    """The first ffmpeg here that has all the filters; the one of the wheel has."""
    wanted = {FILTERS[method] for method in methods}
    found: set[str] = set()
    for ffmpeg in dict.fromkeys(task.tools.toolbox.chosen.values()):
        argv = task.tools.sandbox.wrap([str(ffmpeg.path), "-hide_banner", "-filters"], task.directory)
        try:
            text = task.tools.spawner.output(
                argv, task.directory, _SECONDS, greets=task.tools.sandbox.has_monitor
            )
        except OSError:
            continue
        found = set(_LISTED.findall(text))
        if wanted <= found:
            return ffmpeg
    lacking = ", ".join(sorted(wanted - found))
    raise NoFilterError(f"no ffmpeg of this node has the filters {lacking}; install the agent's own")
