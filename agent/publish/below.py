"""Publishes what is only a part of a job's output: a file or a directory below it, by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from agent.produced import Produced
from agent.publish.step import publish
from agent.task import Task
from common.model import Artifact
from common.outputs import below


def publish_below(
    task: Task,
    name: str,
    directory: Path,
    files: Sequence[Produced],
    *,
    pieces: bool,
    given: int | None = None,
) -> tuple[Artifact, ...]:
    """Put the `files` of `directory` to `name` below the job's output: a directory of that name (`pieces`),
    or else the one file itself. Errors as `publish`; artifacts have their names below the job's output.
    """
    output = task.assignment.output
    place = None if output is None else below(output, name)
    inner = replace(task, directory=directory, assignment=replace(task.assignment, output=place))
    artifacts = publish(inner, files, pieces=pieces, given=given).artifacts
    return tuple(replace(each, path=f"{name}/{each.path}") for each in artifacts) if pieces else artifacts
