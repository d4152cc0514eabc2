"""One encode: ffmpeg is started, watched, and what it wrote is verified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.accept import accept
from agent.clip import clip_for
from agent.ffmpeg import command
from agent.ffmpeg.container import files
from agent.ffmpeg.discover import FFmpeg
from agent.ffmpeg.process import Ended, run
from agent.inputs.measured import MeasuredInput
from agent.loudness import loudness_of_output, off_target
from agent.probed import Probe
from agent.produced import Produced
from agent.task import AbortedError, FailedError, Task
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


def encode(task: Task, settings: EncodeSettings, given: MeasuredInput | None) -> Encoded:
    """Encodes `given`, or a picture that ffmpeg makes, into the attempt's directory.

    `FailedError` if that fails, or if the output is not what was asked for; `AbortedError`.
    """
    tools = task.tools
    ffmpeg = ffmpeg_for(task, settings)
    path = task.directory / f"{task.assignment.scenario}.{CONTAINERS[settings.container].suffix}"
    descriptor = None if given is None else given.descriptor
    with clip_for(task, settings, ffmpeg, given=given is not None) as clip:
        shown = None if clip is None else clip.descriptor
        argv = command.build(str(ffmpeg.path), settings, path.name, descriptor, ffmpeg.version, shown)
        ended = run(
            tools.spawner,
            argv,
            task.directory,
            limits=tools.limits(settings if given is None else given.burden(settings)),
            abort=tools.abort,
            may_work=tools.may_work,
            total_frames=settings.frames,
            on_progress=tools.on_progress,
            sandbox=tools.sandbox,
            descriptors=[open_ for open_ in (descriptor, shown) if open_ is not None],
        )
    if ended.why == "aborted":
        raise AbortedError
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
        {**_found(probed, given), "loudness": after},
        (*(clip.warnings if clip else ()), *warnings, *left_out(settings), *off_target(settings, after)),
    )


def _found(probed: Probe, given: MeasuredInput | None) -> dict[str, Scalar]:
    """What is known of the tracks, and of the input."""
    known: dict[str, Scalar] = {
        "audio_tracks": len(probed.audio),
        "subtitle_tracks": len(probed.subtitles),
    }
    if given is not None:
        source = given.probed
        known |= {
            "source_frames": source.frames,
            "source_width": source.width,
            "source_height": source.height,
            "source_codec": source.codec,
            "source_pixel_format": source.pixel_format,
            "source_frame_rate": given.source.frame_rate,
            "source_duration": source.end,
        }
    return known


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
) -> dict[str, Scalar]:
    """The metrics of one encode."""
    return metrics(
        settings,
        command=argv,
        ffmpeg_version=ffmpeg.version,
        wall_seconds=ended.wall_seconds,
        cpu_seconds=ended.cpu_seconds,
        peak_memory_bytes=ended.peak_memory_bytes,
        probed=probed,
        output_path=output_path,
    )
