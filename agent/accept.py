"""Whether an encode is accepted: how ffmpeg ended, what it said, and what it left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from agent.ffmpeg.container import files, picture_file, sound_files
from agent.ffmpeg.log import reason
from agent.ffmpeg.process import Ended
from agent.inputs.measured import MeasuredInput
from agent.probe import Probe, ProbeError, probe, probe_sound
from agent.task import FailedError, Task
from agent.verify import verify
from common.model import Failure, Scalar
from common.settings import EncodeSettings

_NO_SPACE = "No space left on device"
_UNREADABLE = (
    "Cannot determine format of input",
    "Error opening input",
    "Invalid data found when processing input",
    "Nothing was written into output file, because at least one of its streams received no packets",
)
"""What ffmpeg says of an input that it cannot read or decode."""
_DAMAGED = (
    "Error during demuxing",
    "Error submitting packet to decoder",
    "corrupt decoded frame",
    "error while decoding",
    "concealing",
)
"""What ffmpeg says of an input of which it cannot read or decode a part."""


def accept(
    task: Task,
    settings: EncodeSettings,
    ended: Ended,
    path: Path,
    given: MeasuredInput | None,
    known: Mapping[str, Scalar],
) -> tuple[Probe, tuple[str, ...]]:
    """What the output at `path` is, and warnings of what of the input is not in it.

    `FailedError`, with what is `known`, if ffmpeg failed or the output is not what was asked for. Of a
    damaged input the part that can be read must be there: one frame at least.
    """
    refuse(ended, known, of_input=given is not None)
    try:
        probed = probed_output(task, settings, path)
    except (ProbeError, FileNotFoundError) as error:
        if given is not None and _says(ended.log, _UNREADABLE):
            message = f"no picture of the input can be decoded: {reason(ended.log) or 'it is damaged'}"
            raise FailedError("input_invalid", message, known) from error
        raise FailedError("output_invalid", f"the output cannot be used: {error}", known) from error
    expected, fewer = settings, 0
    warnings: tuple[str, ...] = ()
    if given is not None:
        expected, fewer, warnings = _readable(settings, probed, given, ended.log)
    wrong = verify(probed, expected, fewer, of_input=task.assignment.input is not None)
    if wrong is not None:
        raise FailedError("output_invalid", wrong, known)
    return probed, warnings


def refuse(ended: Ended, known: Mapping[str, Scalar], *, of_input: bool) -> None:
    """`FailedError` if ffmpeg failed; `of_input`: what it could not read was the job's input."""
    failure = judge(ended)
    if failure is not None:
        unreadable = of_input and _says(ended.log, _UNREADABLE)
        code = "input_invalid" if failure.code == "encoder_error" and unreadable else failure.code
        raise FailedError(code, failure.message, known)


def damage(log: Sequence[str]) -> str | None:
    """A sentence if ffmpeg could not read or decode a part of its input. Pure."""
    return "the input is damaged" if _says(log, _DAMAGED) else None


def _readable(
    settings: EncodeSettings, probed: Probe, given: MeasuredInput, log: Sequence[str]
) -> tuple[EncodeSettings, int, tuple[str, ...]]:
    """What can be expected of what could be read of an input, how many frames less, and warnings. Pure."""
    source = given.source
    cut = settings.duration < source.duration
    # With a cut, one may begin at that very moment.
    fewer = int(cut) if settings.every_frame else given.uncertain(settings)
    gap = given.gap or damage(log)
    if gap is None:
        return settings, fewer, ()
    known = f"{given.probed.frames} frames could be read of it"
    if 0 <= settings.frames - probed.frames <= fewer:
        return settings, fewer, (f"{gap}; {known}, and {probed.frames} were encoded",)
    least = replace(source, frames=probed.frames, span=None)
    expected = replace(settings, source=least, duration=min(settings.duration, probed.end))
    return expected, fewer, (f"{gap}; {known}, and only {probed.frames} of {settings.frames} were encoded",)


def probed_output(task: Task, settings: EncodeSettings, path: Path) -> Probe:
    """What the output is, whether it is one file or several. ProbeError, FileNotFoundError."""
    tools = task.tools
    for file in files(settings, path.name):
        if not (path.parent / file.name).stat().st_size:
            raise ProbeError(f"{file.name} is empty")
    probed = probe(path.parent / picture_file(settings, path.name), tools.spawner, tools.sandbox)
    apart = [
        probe_sound(path.parent / name, tools.spawner, tools.sandbox)
        for name in sound_files(settings, path.name)
    ]
    if not apart:
        return probed
    return replace(
        probed,
        audio=tuple(track for one in apart for track in one.audio),
        audio_codec=apart[0].audio[0].codec,
        audio_duration=apart[0].duration,
        size=probed.size + sum(one.size for one in apart),
    )


def _says(log: Sequence[str], signs: Sequence[str]) -> bool:
    return any(sign in line for line in log for sign in signs)


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
