"""One pass of an encoder over the piece of a window: all that looks and chunks have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent import steps
from agent.chunks import argv as command
from agent.chunks.alike import alike, undivided
from agent.chunks.join import settings_of
from agent.chunks.piece import Piece
from agent.ffmpeg.discover import FFmpeg
from agent.ffmpeg.process import Ended
from agent.task import FailedError, Task
from common.model import Window
from common.settings import EncodeSettings


def of_window(task: Task) -> tuple[Window, EncodeSettings]:
    """The assignment's window, and the settings of its encode. `FailedError`."""
    window = task.assignment.window
    if window is None:
        raise FailedError("agent_error", "the master did not say which frames the chunk has")
    settings = alike(settings_of(task, window.tail - window.lead))
    why = undivided(settings)
    if why is not None:
        raise FailedError("encoder_error", f"it cannot be encoded in chunks: {why}, or split: off")
    return window, settings


def run_pass(
    task: Task,
    settings: EncodeSettings,
    ffmpeg: FFmpeg,
    window: Window,
    cut: Piece,
    which: int | None,
) -> tuple[Sequence[str], Ended]:
    """One ffmpeg that reads the piece."""
    frames = window.tail - window.lead
    task.tools.course.begin(steps.encode(settings, which, frames))
    descriptor = cut.rewound()
    argv = command.build(
        str(ffmpeg.path), settings, window, (descriptor, cut.base, cut.packets), ffmpeg.version, which
    )
    ended = task.run(
        argv,
        task.tools.limits(_burden(settings)),
        descriptors=[descriptor],
        total_frames=frames,
        on_progress=task.tools.on_progress,
    )
    return argv, ended


def _burden(settings: EncodeSettings) -> EncodeSettings:
    """The encode by which limits are set: an input that is larger has to be decoded."""
    source = settings.source
    if source is None:
        return settings
    return replace(
        settings, width=max(settings.width, source.width), height=max(settings.height, source.height)
    )
