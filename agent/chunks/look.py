"""The stage LOOK, the first of two passes over one window; and what a chunk makes of all looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from agent import steps
from agent.accept import judge
from agent.chunks.again import whole_units
from agent.chunks.hardness import LOGS, by_second, from_text, hardness, to_text, total
from agent.chunks.parts import append, window_of
from agent.chunks.passed import of_window, run_pass
from agent.chunks.piece import piece
from agent.encode import ffmpeg_for, measured
from agent.ffmpeg.video import PASSES, buffer
from agent.produced import Produced
from agent.publish.step import publish
from agent.task import Done, FailedError, PartDone, Task
from common.model import ArtifactKind, Findings, Scalar, Stage, Window
from common.settings import EncodeSettings
from common.shares import Hardness, Looked, shares

_MOST_LOGS = 4


def look(task: Task) -> Done:
    """Looks how hard the frames of the assignment's window are; what the encoder wrote is stored.

    `FailedError`, `InputFailedError`, `OutputFailedError`, `AbortedError`.
    """
    window, settings = of_window(task)
    settings = replace(settings, rate=replace(settings.rate, passes=2))
    if settings.encoder not in LOGS:
        raise FailedError("encoder_error", f"{settings.encoder} has no first pass of use; use split: off")
    ffmpeg = ffmpeg_for(task, settings)
    frames = window.end - window.lead
    task.tools.course.plan((steps.encode(settings, 1, frames), steps.publish()))
    logs = task.directory / PASSES
    logs.mkdir()
    with piece(task, window) as cut, task.tools.account.encode(task.tools.may_work) as metered:
        watched = replace(task, tools=replace(task.tools, may_work=metered.may_work))
        argv, ended = run_pass(watched, settings, ffmpeg, window, cut, 1)
        energy = metered.end(settings.encoder, ended.cpu_seconds, ended.wall_seconds)
    failure = judge(ended)
    known = measured(settings, ffmpeg, argv, ended)
    if failure is not None:
        raise FailedError(failure.code, failure.message, known)
    try:
        found = hardness(settings.encoder, (logs / LOGS[settings.encoder]).read_bytes(), frames)
    except (OSError, ValueError) as error:
        raise FailedError("output_invalid", f"what the first pass found cannot be read: {error}") from error
    more: Mapping[str, Scalar] = {
        "frames": frames,
        "hardness": round(total(found).bits, 6),
        "hardness_by_second": to_text(by_second(found, _seconds(window))),
        "energy_joules": energy.joules,
        "energy_idle_joules": energy.idle_joules,
        "energy_net_joules": energy.net_joules,
        "energy_source": energy.source,
        "energy_note": energy.note,
    }
    task.tools.course.begin(steps.publish())
    names = sorted(path.name for path in logs.iterdir())[:_MOST_LOGS]
    main = LOGS[settings.encoder]
    names.sort(key=lambda name: name != main)
    made = [Produced(name, ArtifactKind.INTERMEDIATE, "application/octet-stream") for name in names]
    published = publish(replace(task, directory=logs), made, pieces=False, given=None)
    return {**known, **more}, Findings(artifacts=published.artifacts)


def shared(task: Task, settings: EncodeSettings, window: Window) -> EncodeSettings:
    """The settings of a chunk that gets its share of a bitrate, with what its own look found beside it.

    As they are where there were no looks. `FailedError`, `InputFailedError`, `AbortedError`.
    """
    looks = [part for part in task.assignment.parts if part.stage is Stage.LOOK]
    if settings.rate.bitrate is None or not looks:
        return settings
    own = next((part for part in looks if window_of(part).first == window.first), None)
    if own is None:
        raise FailedError("agent_error", "the master did not hand on what was found of this chunk's frames")
    looked = [Looked(_seconds(window_of(part)), _hardness(part)) for part in looks]
    given = shares(looked, settings.rate.bitrate, buffer(settings))[looks.index(own)]
    logs = task.directory / PASSES
    logs.mkdir()
    for artifact in own.artifacts[:_MOST_LOGS]:
        if "/" in artifact.path or artifact.path.startswith("."):
            raise FailedError("agent_error", f"{artifact.path!r} is no log of a first pass")
        with (logs / artifact.path).open("xb") as file:
            append(task, artifact, file.fileno())
    rate = settings.rate
    bitrate = whole_units(given)
    return replace(settings, rate=replace(rate, bitrate=bitrate, share_of=rate.bitrate, passes=2))


def _seconds(window: Window) -> float:
    """How long all lasts that an encoder is shown: of a bitrate, what is wanted and nothing else."""
    return float((window.ticks[1] - window.ticks[2]) * Fraction(*window.time_base))


def _hardness(part: PartDone) -> tuple[Hardness, ...]:
    try:
        return from_text(str(part.metrics.get("hardness_by_second")))
    except ValueError as error:
        raise FailedError("agent_error", f"{part.name} does not say how hard its frames are") from error
