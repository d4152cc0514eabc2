"""Looks at the input of a job that is to be divided: its facts, for the master's rules, and its pictures."""

from __future__ import annotations

from agent.chunks.plan import find
from agent.encode import ffmpeg_for, found
from agent.inputs.measured import MeasuredInput
from agent.pictures import DIRECTORY, make_pictures, shown_size
from agent.publish.below import publish_below
from agent.publish.step import prepare
from agent.task import Done, Task
from common.model import Artifact, Findings, Scalar
from common.settings import CONTAINERS, EncodeSettings
from common.split import asked


def plan(task: Task, settings: EncodeSettings, given: MeasuredInput | None) -> Done:
    """What is known of the input; of a picture that ffmpeg makes, what it would be.

    `FailedError`, `AbortedError`; of a split also `OutputFailedError` if its output cannot be written.
    """
    divisible = None
    if asked(task.assignment.parameters) is not None:
        opened = None if given is None else given.descriptor
        # Before hours are spent in vain.
        prepare(task, pieces=CONTAINERS[settings.container].pieces, given=opened)
        divisible = find(task, settings, given)
    if given is None:
        facts: dict[str, Scalar] = {
            "source_width": settings.width,
            "source_height": settings.height,
            "shown_width": settings.width,
            "shown_height": settings.height,
            "source_frame_rate": settings.fps,
            "source_duration": settings.duration,
        }
        return facts, Findings(divisible=divisible)
    width, height = shown_size(given)
    facts = {**found(given), "shown_width": width, "shown_height": height}
    warnings = () if given.gap is None else (given.gap,)
    pictures = _pictures(task, settings, given)
    return facts, Findings(artifacts=pictures, warnings=warnings, divisible=divisible)


def _pictures(task: Task, settings: EncodeSettings, given: MeasuredInput) -> tuple[Artifact, ...]:
    parameters = task.assignment.parameters
    if parameters.get("pictures") is not True or asked(parameters) is not None:  # else who ends it makes them
        return ()
    directory, made = make_pictures(task, ffmpeg_for(task, settings), settings, given)
    return publish_below(task, DIRECTORY, directory, made, pieces=True, given=given.descriptor)
