"""The stage CHUNK: the frames of one window are encoded, so that they can be joined with those of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from agent import steps
from agent.accept import damage, judge
from agent.chunks.again import near_its_share
from agent.chunks.argv import NAME
from agent.chunks.check import asked as frames_asked
from agent.chunks.check import wrong
from agent.chunks.join import asked_for
from agent.chunks.look import shared
from agent.chunks.passed import of_window, run_pass
from agent.chunks.piece import Piece, piece
from agent.chunks.scored import scored
from agent.chunks.tries import tried
from agent.encode import Encoded, ffmpeg_for, measured
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
from common.settings import EncodeSettings


def encode_chunk(task: Task) -> Done:
    """Encodes the frames of the assignment's window from a piece of the input, and stores the file.

    `FailedError`, `InputFailedError`, `OutputFailedError`, `AbortedError`.
    """
    window, settings = of_window(task)
    prepare(task, pieces=False, given=None)  # before minutes are spent in vain
    methods = asked_for(task, settings)
    settings = shared(task, settings, window)
    course = task.tools.course
    planned = (steps.encode(settings, _which(settings), window.end - window.lead), steps.check())
    all_of_it = (*planned, *expected(settings, methods), steps.publish())
    course.plan(all_of_it)
    with piece(task, window) as cut:
        if settings.rate.target_vmaf is not None:
            encoded = tried(task, settings, window, cut, methods, encode_window)
        else:
            encoded = near_its_share(task, settings, window, cut, encode_window, all_of_it)
            encoded = scored(task, encoded, window, cut, methods)
    known = _known(task, encoded)
    course.begin(steps.publish())
    try:
        own = replace(task, directory=encoded.path.parent)
        published = publish(own, encoded.files, pieces=False, given=None)
    except OutputFailedError as error:
        raise FailedError(error.code, str(error), known) from error
    return known, Findings(artifacts=published.artifacts, warnings=encoded.warnings)


def encode_window(task: Task, settings: EncodeSettings, window: Window, cut: Piece) -> Encoded:
    """One encode into the attempt's directory, verified. `FailedError`, `AbortedError`."""
    ffmpeg = ffmpeg_for(task, settings)
    with task.tools.account.encode(task.tools.may_work) as metered:
        watched = replace(task, tools=replace(task.tools, may_work=metered.may_work))
        argv, ended = run_pass(watched, settings, ffmpeg, window, cut, _which(settings))
        energy = metered.end(settings.encoder, ended.cpu_seconds, ended.wall_seconds)
    task.tools.course.begin(steps.check())
    known = measured(settings, ffmpeg, argv, ended)
    path = task.directory / NAME
    counted = _accepted(task, settings, window, ended, path, known)
    made = (Produced(NAME, ArtifactKind.INTERMEDIATE, "video/mp4"),)
    gap = damage(ended.log)
    warnings = () if gap is None else (f"{gap}: some of these frames are not what they were",)
    return Encoded(settings, ffmpeg, argv, ended, counted.probe, path, made, warnings=warnings, energy=energy)


def _which(settings: EncodeSettings) -> int | None:
    """The second pass, where a look was the first; else the only one."""
    return 2 if settings.rate.share_of is not None else None


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
    if problem is not None and counted.frames < window.end - window.lead and (gap := damage(ended.log)):
        raise FailedError(
            "input_invalid", f"{gap}: {problem}; with split: off what can be read is encoded", known
        )
    if problem is not None:
        raise FailedError("output_invalid", problem, known)
    return counted


def _known(task: Task, encoded: Encoded) -> dict[str, Scalar]:
    more: Mapping[str, Scalar] = {
        **encoded.known,
        **Repeated.once(encoded).metrics(task.tools.account.means.prices),
    }
    return measured(encoded.settings, encoded.ffmpeg, encoded.argv, encoded.ended, encoded.probed, more=more)
