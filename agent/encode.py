"""One encode: ffmpeg is started, watched, and what it wrote is verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agent.ffmpeg import command
from agent.ffmpeg.discover import FFmpeg
from agent.ffmpeg.log import reason
from agent.ffmpeg.process import Ended, run
from agent.inputs.measured import MeasuredInput
from agent.probe import Probe, ProbeError, probe, verify
from agent.task import AbortedError, FailedError, Task
from common.model import Failure, Scalar
from common.result import metrics
from common.settings import CONTAINERS, EncodeSettings

_NO_SPACE = "No space left on device"
_UNREADABLE = (
    "Cannot determine format of input",
    "Error opening input",
    "Invalid data found when processing input",
)
"""What ffmpeg says of an input that it cannot read or decode."""


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


def encode(task: Task, settings: EncodeSettings, given: MeasuredInput | None) -> Encoded:
    """Encodes `given`, or a picture that ffmpeg makes, into the attempt's directory.

    `FailedError` if that fails, or if the output is not what was asked for; `AbortedError`.
    """
    tools = task.tools
    ffmpeg = ffmpeg_for(task, settings)
    path = task.directory / f"{task.assignment.scenario}.{CONTAINERS[settings.container].suffix}"
    descriptor = None if given is None else given.descriptor
    argv = command.build(str(ffmpeg.path), settings, path.name, descriptor, ffmpeg.version)
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
        descriptors=[] if descriptor is None else [descriptor],
    )
    if ended.why == "aborted":
        raise AbortedError
    encoded = partial(Encoded, settings, ffmpeg, argv, ended, path=path)
    known = measured(settings, ffmpeg, argv, ended)
    if not path.parent.exists():
        raise FailedError("agent_error", f"{task.job_directory} was removed during the encode", known)
    return encoded(probed=_accept(task, settings, ended, known, path, given))


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


def judge(ended: Ended) -> Failure | None:
    """Why the encode failed, from how ffmpeg ended; None if it ended well. Pure."""
    wall = f"{ended.wall_seconds:.0f} s"
    last = reason(ended.log) or "it logged nothing"
    if ended.why == "time_limit":
        return Failure("time_limit", f"ffmpeg was ended after {wall}, which is its time limit")
    if ended.why == "stalled":
        return Failure("encoder_stalled", f"ffmpeg made no progress and was ended after {wall}: {last}")
    if ended.why == "memory_limit":
        return Failure("memory_limit", f"ffmpeg needed more memory than its limit allows: {last}")
    if ended.why == "cpu_limit":
        return Failure("cpu_limit", f"ffmpeg was ended after {ended.cpu_seconds:.0f} s of CPU time: {last}")
    if ended.why == "output_too_large":
        return Failure("output_too_large", f"ffmpeg wrote more than its limit of file size allows: {last}")
    if ended.returncode == 0:
        return None
    if any(_NO_SPACE in line for line in ended.log):
        return Failure("disk_full", f"no space was left for the output: {last}")
    # ffmpeg catches TERM and INT: it ends by itself with code 255 and says so.
    if ended.signal is not None or any("received signal" in line for line in ended.log):
        number = "a signal" if ended.signal is None else f"signal {ended.signal}"
        return Failure("encoder_killed", f"ffmpeg was ended by {number} from outside or crashed: {last}")
    return Failure("encoder_error", f"ffmpeg failed with exit code {ended.returncode}: {last}")


def _accept(
    task: Task,
    settings: EncodeSettings,
    ended: Ended,
    known: dict[str, Scalar],
    path: Path,
    given: MeasuredInput | None,
) -> Probe:
    """What the output is, if ffmpeg ended well and it is what was asked for."""
    fewer = 0 if given is None else given.uncertain(settings)
    failure = judge(ended)
    if failure is not None:
        unreadable = fewer and any(sign in line for line in ended.log for sign in _UNREADABLE)
        code = "input_invalid" if failure.code == "encoder_error" and unreadable else failure.code
        raise FailedError(code, failure.message, known)
    try:
        probed = probe(path, task.tools.spawner, task.tools.sandbox)
    except (ProbeError, FileNotFoundError) as error:
        raise FailedError("output_invalid", f"the output cannot be used: {error}", known) from error
    if fewer and probed.frames < settings.frames - fewer:
        what = f"it has pictures for {probed.frames} frames, and should have for {settings.frames}"
        raise FailedError("input_invalid", f"the input is damaged or cut off: {what}", known)
    wrong = verify(probed, settings, fewer)
    if wrong is not None:
        raise FailedError("output_invalid", wrong, known)
    return probed
