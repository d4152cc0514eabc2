"""The stage SOUND: all of an input but its picture, encoded once and whole, for a job that is split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agent.accept import damage, refuse
from agent.chunks import mux
from agent.chunks.facts import another
from agent.encode import ffmpeg_for, measured
from agent.energy.account import Energy
from agent.ffmpeg.discover import FFmpeg
from agent.inputs.measured import MeasuredInput
from agent.loudness import loudness_of_file, off_target, with_levels
from agent.passes import from_its_start
from agent.probe import ProbeError, probe_sound
from agent.probed import Heard
from agent.produced import Produced
from agent.publish.step import prepare, publish
from agent.task import Done, FailedError, Task
from agent.verify import verify_sound
from common.estimate import Step
from common.model import ArtifactKind, Findings, Scalar
from common.settings import EncodeSettings
from common.settings.tracks import left_out, subtitles

_USUAL = 0.01
"""Seconds for a second of sound, until this node has seen some."""


def encode_sound(task: Task, settings: EncodeSettings, given: MeasuredInput | None) -> Done:
    """Encodes what is beside the picture of `given`, and publishes it; `FailedError`, `AbortedError`."""
    if given is None:
        raise FailedError("agent_error", "there is no input whose sound could be encoded")
    changed = another(task.assignment.source, given.probed.size)
    if changed is not None:
        raise FailedError("input_invalid", changed)
    prepare(task, pieces=False, given=given.descriptor)
    settings = with_levels(task, settings, given)
    ffmpeg = ffmpeg_for(task, settings)
    task.tools.course.begin(Step("sound", settings.duration, usual=_USUAL))
    with (
        task.tools.account.encode(task.tools.may_work) as metered,
        from_its_start(task, settings, ffmpeg, given) as own,
    ):
        argv = mux.sound_command(str(ffmpeg.path), settings, own[0], ffmpeg.version)
        watched = replace(task, tools=replace(task.tools, may_work=metered.may_work))
        limits = task.tools.limits(given.burden(settings))
        ended = watched.run(argv, replace(limits, first=limits.total, stall=limits.total), descriptors=own)
        energy = metered.end(settings.encoder, ended.cpu_seconds, ended.wall_seconds)
    known = {**measured(settings, ffmpeg, argv, ended), **_of(energy)}
    refuse(ended, known, of_input=True)
    tracks = _checked(task, settings, known)
    loudness = _loudness(task, settings, ffmpeg)
    files = [Produced(mux.ABOUT, ArtifactKind.INTERMEDIATE, "text/plain")]
    if mux.has_tracks(settings):
        name, _, kind = mux.beside(settings)
        files = [Produced(name, ArtifactKind.INTERMEDIATE, kind), *files]
    published = publish(task, files, pieces=False, given=given.descriptor)
    gap = given.gap or damage(ended.log)
    warnings = (
        *given.warnings,
        *([] if gap is None else [f"{gap}; what of its sound could be read is in the output"]),
        *left_out(settings),
        *off_target(settings, loudness.get("loudness")),
    )
    return {**known, **tracks, **loudness}, Findings(artifacts=published.artifacts, warnings=warnings)


def _checked(task: Task, settings: EncodeSettings, known: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """How many tracks there are, once those of sound are known to be what was asked for."""
    heard: Heard | None = None
    name, _, _ = mux.beside(settings)
    try:
        if mux.has_sound(settings):
            heard = probe_sound(task.directory / name, task.tools.spawner, task.tools.sandbox)
    except (ProbeError, FileNotFoundError) as error:
        raise FailedError("output_invalid", f"the sound cannot be used: {error}", known) from error
    wrong = verify_sound(() if heard is None else heard.audio, settings)
    if wrong is not None:
        raise FailedError("output_invalid", wrong, known)
    return {
        "audio_tracks": 0 if heard is None else len(heard.audio),
        "subtitle_tracks": len(subtitles(settings)),
        "output_bytes": None if heard is None else heard.size,
    }


def _loudness(task: Task, settings: EncodeSettings, ffmpeg: FFmpeg) -> dict[str, float | None]:
    if settings.loudness is None or not mux.has_sound(settings):
        return {}
    return {"loudness": loudness_of_file(task, settings, ffmpeg, mux.beside(settings)[0])}


def _of(energy: Energy) -> dict[str, Scalar]:
    return {
        "energy_joules": energy.joules,
        "energy_idle_joules": energy.idle_joules,
        "energy_net_joules": energy.net_joules,
        "energy_source": energy.source,
        "energy_note": energy.note,
    }
