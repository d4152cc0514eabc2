"""The stage CHUNK: the frames of one window are encoded, so that they can be joined with those of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from agent import steps
from agent.accept import judge
from agent.chunks import argv as command
from agent.chunks.alike import alike
from agent.chunks.check import asked as frames_asked
from agent.chunks.check import wrong
from agent.chunks.join import asked_for, settings_of
from agent.chunks.piece import Piece, piece
from agent.chunks.scored import scored
from agent.chunks.tries import tried
from agent.encode import Encoded, ffmpeg_for, measured
from agent.ffmpeg.discover import FFmpeg
from agent.ffmpeg.process import Ended
from agent.probe import ProbeError, probe_chunk
from agent.probed import Counted
from agent.produced import Produced
from agent.publish.rules import OutputFailedError
from agent.publish.step import prepare, publish
from agent.quality.measure import expected
from agent.repeat import Repeated
from agent.task import Done, FailedError, Task
from common.model import ArtifactKind, Findings, Scalar, Window
from common.settings import EncodeSettings, hardware_of


def encode_chunk(task: Task) -> Done:
    """Encodes the frames of the assignment's window from a piece of the input, and stores the file.

    `FailedError`, `InputFailedError`, `OutputFailedError`, `AbortedError`.
    """
    window, settings = of_window(task)
    prepare(task, pieces=False, given=None)  # before minutes are spent in vain
    methods = asked_for(task, settings)
    course = task.tools.course
    course.plan((*steps.encodes(settings), *expected(settings, methods), steps.publish()))
    with piece(task, window) as cut:
        if settings.rate.target_vmaf is not None:
            encoded = tried(task, settings, window, cut, methods, encode_window)
        else:
            encoded = encode_window(task, settings, window, cut)
            encoded = scored(task, encoded, window, cut, methods)
    known = _known(task, encoded)
    course.begin(steps.publish())
    try:
        own = replace(task, directory=encoded.path.parent)
        published = publish(own, encoded.files, pieces=False, given=None)
    except OutputFailedError as error:
        raise FailedError(error.code, str(error), known) from error
    return known, Findings(artifacts=published.artifacts, warnings=encoded.warnings)


def of_window(task: Task) -> tuple[Window, EncodeSettings]:
    """The assignment's window, and the settings of its encode. `FailedError`."""
    window = task.assignment.window
    if window is None:
        raise FailedError("agent_error", "the master did not say which frames the chunk has")
    settings = alike(settings_of(task, window.tail - window.lead))
    if hardware_of(settings.encoder) is not None:
        raise FailedError(
            "encoder_error", f"{settings.encoder} makes no chunks: use its encoder in software, or split: off"
        )
    return window, settings


def encode_window(task: Task, settings: EncodeSettings, window: Window, cut: Piece) -> Encoded:
    """One encode into the attempt's directory, verified. `FailedError`, `AbortedError`."""
    ffmpeg = ffmpeg_for(task, settings)
    with task.tools.account.encode(task.tools.may_work) as metered:
        watched = replace(task, tools=replace(task.tools, may_work=metered.may_work))
        argv, ended = run_pass(
            watched, settings, ffmpeg, window, cut, 2 if settings.rate.passes == 2 else None
        )
        energy = metered.end(settings.encoder, ended.cpu_seconds, ended.wall_seconds)
    task.tools.course.begin(steps.check())
    known = measured(settings, ffmpeg, argv, ended)
    path = task.directory / command.NAME
    counted = _accepted(task, settings, window, ended, path, known)
    made = (Produced(command.NAME, ArtifactKind.INTERMEDIATE, "video/mp4"),)
    return Encoded(settings, ffmpeg, argv, ended, counted.probe, path, made, energy=energy)


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
    argv = command.build(str(ffmpeg.path), settings, window, (descriptor, cut.base), ffmpeg.version, which)
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


def _accepted(
    task: Task,
    settings: EncodeSettings,
    window: Window,
    ended: Ended,
    path: Path,
    known: Mapping[str, Scalar],
) -> Counted:
    failure = judge(ended)
    if failure is not None:
        raise FailedError(failure.code, failure.message, known)
    try:
        counted = probe_chunk(path, frames_asked(window), task.tools.spawner, task.tools.sandbox)
    except (ProbeError, FileNotFoundError) as error:
        raise FailedError("output_invalid", f"the chunk cannot be used: {error}", known) from error
    problem = wrong(counted, window, settings)
    if problem is not None:
        raise FailedError("output_invalid", problem, known)
    return counted


def _known(task: Task, encoded: Encoded) -> dict[str, Scalar]:
    more: Mapping[str, Scalar] = {
        **encoded.known,
        **Repeated.once(encoded).metrics(task.tools.account.means.prices),
    }
    return measured(encoded.settings, encoded.ffmpeg, encoded.argv, encoded.ended, encoded.probed, more=more)
