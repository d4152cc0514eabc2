"""One encode: ffmpeg is started, watched, and what it wrote is verified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent import steps
from agent.accept import accept
from agent.clip import clip_for
from agent.energy.account import NO_ENERGY, Energy
from agent.ffmpeg.container import files
from agent.ffmpeg.discover import FFmpeg
from agent.ffmpeg.process import Ended
from agent.inputs.measured import MeasuredInput
from agent.loudness import loudness_of_output, off_target
from agent.passes import passes
from agent.probed import Probe
from agent.produced import Produced
from agent.task import FailedError, Task
from common.model import Scalar
from common.result import metrics
from common.settings import CONTAINERS, EncodeSettings
from common.settings.tracks import left_out


@dataclass(frozen=True, slots=True)
class Encoded:
    """An encode that ended well."""

    settings: EncodeSettings
    ffmpeg: FFmpeg
    argv: Sequence[str]
    ended: Ended
    probed: Probe
    path: Path
    """What it wrote, in the attempt's directory; for pieces, their main playlist."""
    files: tuple[Produced, ...] = ()
    """All that it wrote, the one at `path` first."""
    known: Mapping[str, Scalar] = field(default_factory=dict)
    """The metrics that only this step can tell."""
    warnings: tuple[str, ...] = ()
    """Sentences for people: what of the input could not be read, or is not in the output."""
    energy: Energy = NO_ENERGY
    """What it used."""


def encode(task: Task, settings: EncodeSettings, given: MeasuredInput | None) -> Encoded:
    """Encodes `given`, or a picture that ffmpeg makes, into the attempt's directory.

    `FailedError` if that fails, or if the output is not what was asked for; `AbortedError`.
    """
    ffmpeg = ffmpeg_for(task, settings)
    with clip_for(task, settings, ffmpeg, given=given is not None) as clip:
        made = () if clip is None else clip.warnings
    path = task.directory / f"{task.assignment.scenario}.{CONTAINERS[settings.container].suffix}"
    with task.tools.account.encode(task.tools.may_work) as metered:
        watched = replace(task, tools=replace(task.tools, may_work=metered.may_work))
        argv, ended = passes(watched, settings, ffmpeg, path.name, given)
        energy = metered.end(settings.encoder, ended.cpu_seconds, ended.wall_seconds)
    task.tools.course.begin(steps.check())
    known = measured(settings, ffmpeg, argv, ended)
    if not path.parent.exists():
        raise FailedError("agent_error", f"{task.job_directory} was removed during the encode", known)
    probed, warnings = accept(task, settings, ended, path, given, known)
    after = loudness_of_output(task, settings, ffmpeg, path)
    return Encoded(
        settings,
        ffmpeg,
        argv,
        ended,
        probed,
        path,
        files(settings, path.name),
        {**_found(probed, given), **({} if after is None else {"loudness": after})},
        (*(given.warnings if given else made), *warnings, *left_out(settings), *off_target(settings, after)),
        energy,
    )


def _found(probed: Probe, given: MeasuredInput | None) -> dict[str, Scalar]:
    """What is known of an input, and of its tracks that are in the output."""
    if given is None:
        return {}
    tracks: dict[str, Scalar] = {
        "audio_tracks": len(probed.audio),
        "subtitle_tracks": len(probed.subtitles),
    }
    return {**tracks, **found(given)}


def found(given: MeasuredInput) -> dict[str, Scalar]:
    """The metrics of an input."""
    source = given.probed
    return {
        "source_frames": source.frames,
        "source_width": source.width,
        "source_height": source.height,
        "source_codec": source.codec,
        "source_pixel_format": source.pixel_format,
        "source_frame_rate": given.source.frame_rate,
        "source_duration": source.end,
    }


def ffmpeg_for(task: Task, settings: EncodeSettings) -> FFmpeg:
    """The ffmpeg here that has the encoder; `encoder_missing` if none has."""
    toolbox = task.tools.toolbox
    ffmpeg = toolbox.ffmpeg_for(settings.encoder)
    if ffmpeg is None:
        why = toolbox.failed.get(settings.encoder, "no ffmpeg here lists it")
        raise FailedError(
            "encoder_missing", f"this node cannot use {settings.encoder}: {why}", metrics(settings)
        )
    return ffmpeg


def measured(
    settings: EncodeSettings,
    ffmpeg: FFmpeg,
    argv: Sequence[str],
    ended: Ended,
    probed: Probe | None = None,
    output_path: str | None = None,
    more: Mapping[str, Scalar] | None = None,
) -> dict[str, Scalar]:
    """The metrics of one encode; `more`: further ones, which win."""
    return metrics(
        settings,
        command=argv,
        ffmpeg_version=ffmpeg.version,
        wall_seconds=ended.wall_seconds,
        cpu_seconds=ended.cpu_seconds,
        peak_memory_bytes=ended.peak_memory_bytes,
        probed=probed,
        output_path=output_path,
        more=more,
    )
