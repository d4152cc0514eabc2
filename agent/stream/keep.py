"""A recorded stream as a file: copied into its container, and not encoded."""

from __future__ import annotations

from dataclasses import replace

from agent import steps
from agent.accept import judge
from agent.encode import Encoded, ffmpeg_for, measured
from agent.ffmpeg.begin import begin
from agent.ffmpeg.container import container, files
from agent.ffmpeg.source import opened
from agent.inputs.measured import MeasuredInput
from agent.probe import ProbeError, probe
from agent.task import FailedError, Task
from common.settings import CONTAINERS, EncodeSettings, Rate


def keep(task: Task, settings: EncodeSettings, given: MeasuredInput) -> Encoded:
    """Copies picture and sound of `given` into a file in the attempt's directory.

    `FailedError` if that fails, or a picture is missing then; `AbortedError`.
    """
    tools, ffmpeg = task.tools, ffmpeg_for(task, settings)
    path = task.directory / f"{task.assignment.scenario}.{CONTAINERS[settings.container].suffix}"
    argv = [*begin(str(ffmpeg.path)), *opened(given.descriptor, ffmpeg.version)]
    argv += ["-map", "0:V:0", "-map", "0:a:0?", "-c", "copy", *container(settings, path.name)]
    tools.course.plan((steps.check(), steps.publish()))
    tools.course.begin(steps.copy())
    ended = task.run(
        argv,
        replace(tools.limits(given.burden(settings)), output_bytes=2 * given.probed.size + 2**26),
        descriptors=[given.descriptor],
        total_frames=given.probed.frames,
        on_progress=tools.on_progress,
    )
    kept = replace(settings, encoder="copy", rate=Rate())
    known = measured(kept, ffmpeg, argv, ended)
    tools.course.begin(steps.check())
    failure = judge(ended)
    if failure is not None:
        raise FailedError(failure.code, failure.message, known)
    try:
        probed = probe(path, tools.spawner, tools.sandbox)
    except (ProbeError, FileNotFoundError) as error:
        raise FailedError("output_invalid", f"the output cannot be used: {error}", known) from error
    if (probed.frames, probed.codec) != (given.probed.frames, given.probed.codec):
        was, is_ = (f"{of.frames} frames of {of.codec}" for of in (given.probed, probed))
        raise FailedError("output_invalid", f"the file has {is_}, and the stream had {was}", known)
    return Encoded(
        kept, ffmpeg, argv, ended, probed, path, files(settings, path.name), warnings=given.warnings
    )
