"""What the parts of a job have made, as the join reads it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from agent.inputs.source import open_input
from agent.task import AbortedError, FailedError, PartDone, Task
from common.model import Artifact, Stage, Window

_PIECE = 8 * 1024**2
"""Bytes that are copied at once."""


def window_of(part: PartDone) -> Window:
    """The frames that a chunk has."""
    if part.window is None:
        raise FailedError("agent_error", f"the master did not say which frames {part.name} has")
    return part.window


def sound_part(task: Task) -> PartDone | None:
    """The part that encoded the sound."""
    return next((part for part in task.assignment.parts if part.stage is Stage.SOUND), None)


def artifact(part: PartDone, name: str) -> Artifact:
    """What a part has made by that name. `FailedError`."""
    for each in part.artifacts:
        if each.path == name:
            return each
    raise FailedError("output_invalid", f"{part.name} has made no {name}: it cannot be joined")


@contextmanager
def opened_artifact(task: Task, made: Artifact) -> Iterator[int]:
    """A file of a part, wherever that was made."""
    if made.location is None:
        raise FailedError("output_invalid", f"{made.path} is only on the node that made it")
    tools = task.tools
    # What nodes write to a root, they can read there.
    rules = replace(tools.inputs, media_roots={**tools.outputs.roots, **tools.inputs.media_roots})
    with open_input(made.location, rules, task.directory / "part", tools.abort, tools.files) as descriptor:
        yield descriptor


def append(task: Task, made: Artifact, target: int) -> int:
    """Copies it to the end of an open file, within the kernel; how many bytes there are."""
    with opened_artifact(task, made) as descriptor:
        size, done = os.fstat(descriptor).st_size, 0
        while done < size:
            if task.tools.abort.is_set():
                raise AbortedError
            count = os.sendfile(target, descriptor, done, min(_PIECE, size - done))
            if count == 0:
                raise FailedError("output_invalid", f"{made.path} became shorter while it was read")
            done += count
    return size
