"""The stage JOIN of a job that was encoded in chunks: one stream of all, with its sound, in its container."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial

from agent import steps
from agent.accept import accept
from agent.chunks import mux
from agent.chunks.facts import FactsError, from_text
from agent.chunks.joined_quality import quality_of
from agent.chunks.parts import append, artifact, sound_part, window_of
from agent.chunks.stream import one_stream
from agent.encode import Encoded, ffmpeg_for, measured
from agent.ffmpeg.container import files
from agent.ffmpeg.limits import Limits
from agent.inputs.measured import measured_input
from agent.inputs.rules import InputFailedError
from agent.inputs.source import open_input
from agent.passes import together
from agent.pictures import DIRECTORY, make_pictures
from agent.probe import probe_open
from agent.produced import Produced
from agent.publish.rules import OutputFailedError
from agent.publish.step import prepare, publish
from agent.quality.measure import asked
from agent.renditions.measure import facts
from agent.repeat import Repeated
from agent.task import Done, FailedError, PartDone, Task
from common.estimate import Step
from common.inputs import MediaFile, parse_input
from common.model import Findings, Scalar, Stage, Window
from common.scenarios import SCENARIOS
from common.settings import CONTAINERS, EncodeSettings, UnsuitableError
from common.settings.live import resolve_job

_MOST_SAID = 1024 * 1024
"""Characters that are read of what is said of an input."""
_FRAMES = 0.0002
"""Seconds for a frame that is joined, until this node has seen some."""


def join_chunks(task: Task) -> Done:
    """Joins what the parts of the job have made, and publishes it; `FailedError`, `AbortedError`.

    What `prepare`, `publish` and `open_input` raise.
    """
    chunks = [part for part in task.assignment.parts if part.stage is Stage.CHUNK]
    windows = [window_of(part) for part in chunks]
    if not chunks:
        raise FailedError("agent_error", "the master gave no chunks to join")
    frames = windows[-1].end
    settings = settings_of(task, frames)
    with _input_in_place(task) as given:
        return _published(task, settings, chunks, windows, given)


def _published(
    task: Task,
    settings: EncodeSettings,
    chunks: Sequence[PartDone],
    windows: Sequence[Window],
    given: int | None,
) -> Done:
    frames, pieces = windows[-1].end, CONTAINERS[settings.container].pieces
    prepare(task, pieces=pieces, given=given)
    task.tools.course.plan([Step("join", float(frames), usual=_FRAMES), steps.check(), steps.publish()])
    encoded = quality_of(task, _joined(task, settings, chunks, windows), chunks, asked_for(task, settings))
    made = (*encoded.files, *_pictures(task, encoded))
    more = {
        **encoded.known,
        **Repeated.once(encoded).metrics(task.tools.account.means.prices),
        **facts(task.directory, encoded.files),
    }
    known = measured(settings, encoded.ffmpeg, encoded.argv, encoded.ended, encoded.probed, more=more)
    task.tools.course.begin(steps.publish())
    try:
        published = publish(task, made, pieces=pieces, given=given)
    except OutputFailedError as error:
        raise FailedError(error.code, str(error), known) from error
    findings = Findings(artifacts=published.artifacts, warnings=encoded.warnings)
    return {**known, "output_path": published.path}, findings


@contextmanager
def _input_in_place(task: Task) -> Iterator[int | None]:
    """The job's input, open, if it is a file that its output might replace; None: it is none, or is gone."""
    text = task.assignment.input
    with ExitStack() as stack:
        given: int | None = None
        if text is not None and isinstance(parse_input(text), MediaFile):
            with suppress(InputFailedError):
                opened = open_input(text, task.tools.inputs, task.directory / "input", task.tools.abort)
                given = stack.enter_context(opened)
        yield given


def settings_of(task: Task, frames: int) -> EncodeSettings:
    """The whole encode, as it is known from the plan: with exactly so many `frames`. `FailedError`."""
    assignment = task.assignment
    scenario = SCENARIOS.get(assignment.scenario)
    if scenario is None or assignment.source is None:
        raise FailedError(
            "agent_error", "the master did not say what is joined; update the agent or the master"
        )
    try:
        source = from_text(assignment.source)
        usable = task.tools.toolbox.encoders
        parameters = assignment.parameters
        settings = resolve_job(scenario, parameters, assignment.input, assignment.output, source, usable)
    except (FactsError, UnsuitableError) as error:
        raise FailedError("agent_error", f"what the plan found cannot be joined: {error}") from error
    if settings.every_frame:
        return replace(settings, source=replace(source, frames=frames))
    return replace(settings, duration=frames / settings.fps)


def asked_for(task: Task, settings: EncodeSettings) -> Sequence[str]:
    """What has to be known of the quality."""
    return asked(task.assignment.parameters, settings)


def _joined(
    task: Task, settings: EncodeSettings, chunks: Sequence[PartDone], windows: Sequence[Window]
) -> Encoded:
    ffmpeg = ffmpeg_for(task, settings)
    task.tools.course.begin(Step("join", float(windows[-1].end), usual=_FRAMES))
    path = task.directory / f"{task.assignment.scenario}.{CONTAINERS[settings.container].suffix}"
    with task.tools.account.encode(task.tools.may_work) as metered:
        watched = replace(task, tools=replace(task.tools, may_work=metered.may_work))
        picture = one_stream(watched, chunks, windows)
        beside = _beside(watched, settings)
        argv = mux.join_command(str(ffmpeg.path), settings, path.name, beside[0], beside[1])
        ended = together(picture, watched.run(argv, _patient(task, settings)))
        energy = metered.end(settings.encoder, ended.cpu_seconds, ended.wall_seconds)
    task.tools.course.begin(steps.check())
    known = measured(settings, ffmpeg, argv, ended)
    for name in (mux.VIDEO, mux.ABOUT, beside[0] or mux.ABOUT):
        (task.directory / name).unlink(missing_ok=True)
    probed, warnings = accept(task, settings, ended, path, None, known)
    tracks: dict[str, Scalar] = {"audio_tracks": len(probed.audio), "subtitle_tracks": len(probed.subtitles)}
    return Encoded(
        settings,
        ffmpeg,
        argv,
        ended,
        probed,
        path,
        files(settings, path.name),
        {**tracks, **_found(settings), **_of_the_sound(task)},
        warnings,
        energy,
    )


def _beside(task: Task, settings: EncodeSettings) -> tuple[str | None, str | None]:
    """Brings what is beside the picture into the attempt's directory: the name of its file, and what is
    said of the input.
    """
    part = sound_part(task)
    if part is None:
        if mux.has_tracks(settings):
            raise FailedError("agent_error", "the master gave no sound to join")
        return None, None
    names = [mux.ABOUT, *([mux.beside(settings)[0]] if mux.has_tracks(settings) else [])]
    for name in names:
        with (task.directory / name).open("xb") as file:
            append(task, artifact(part, name), file.fileno())
    with (task.directory / mux.ABOUT).open(encoding="utf-8", errors="replace") as text:
        return (names[1] if len(names) > 1 else None), text.read(_MOST_SAID)


def _of_the_sound(task: Task) -> dict[str, Scalar]:
    part = sound_part(task)
    known: Mapping[str, Scalar] = {} if part is None else part.metrics
    return {"loudness": known["loudness"]} if "loudness" in known else {}


def _found(settings: EncodeSettings) -> dict[str, Scalar]:
    """The metrics of the input, as the plan found them."""
    source = settings.source
    if source is None:
        return {}
    return {
        "source_frames": source.frames,
        "source_width": source.width,
        "source_height": source.height,
        "source_codec": source.codec,
        "source_pixel_format": source.pixel_format,
        "source_frame_rate": source.frame_rate,
        "source_duration": source.duration,
    }


def _patient(task: Task, settings: EncodeSettings) -> Limits:
    """The limits of copying: it may say nothing for long."""
    limits = task.tools.limits(settings)
    return replace(limits, first=limits.total, stall=limits.total)


def _pictures(task: Task, encoded: Encoded) -> list[Produced]:
    if task.assignment.parameters.get("pictures") is not True or task.assignment.input is None:
        return []
    tools = task.tools
    measure = partial(
        probe_open, name="the input", spawner=tools.spawner, sandbox=tools.sandbox, abort=tools.abort
    )
    place = task.directory / "input"
    with measured_input(
        task.assignment.input, tools.inputs, place, measure, tools.abort, tools.files
    ) as given:
        _, made = make_pictures(task, encoded.ffmpeg, encoded.settings, given)
    return [replace(each, name=f"{DIRECTORY}/{each.name}") for each in made]
