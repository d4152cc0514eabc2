"""From chunks in the file store to one file with all their pictures."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from agent.apart import how_it_ended, limits_of, program, run_apart
from agent.chunks import mux
from agent.chunks.joiner import Plan, Slice
from agent.chunks.parts import append, artifact
from agent.ffmpeg.process import Ended
from agent.task import AbortedError, FailedError, PartDone, Task
from common.model import Window

CHUNK = "chunk.mp4"
"""What the node of each chunk has made."""
_CHUNKS = "chunks"
_PROGRAM = program("agent.chunks.joiner")
_ROOM = 64 * 1024**2
"""Bytes that the joined picture may need more than the chunks."""
_READ = 3
"""How many times they are read or written."""


def one_stream(task: Task, chunks: Sequence[PartDone], windows: Sequence[Window]) -> Ended:
    """Has the chunks' packets written to one file, in a process of its own."""
    plan = Plan(windows[0].time_base, ())
    with _unnamed(task.directory / _CHUNKS) as source:
        slices = []
        for part, window in zip(chunks, windows, strict=True):
            offset = os.lseek(source, 0, os.SEEK_END)
            size = append(task, artifact(part, CHUNK), source)
            first, end, lead = window.ticks
            slices.append(Slice(part.name, offset, size, window.end - window.first, first, end, lead))
        plan = replace(plan, slices=tuple(slices))
        size = os.fstat(source).st_size
        target = os.open(task.directory / mux.VIDEO, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            ended = run_apart(
                _PROGRAM,
                [str(source), str(target), plan.text()],
                task.tools.spawner,
                task.tools.sandbox,
                task.tools.abort,
                limits_of(_READ * size, output=size + _ROOM),
                [source, target],
                task.tools.may_work,
            )
        finally:
            os.close(target)
    if ended.why == "aborted":
        raise AbortedError
    _understand(ended, windows[-1].end)
    return ended


def _understand(ended: Ended, frames: int) -> None:
    problem = how_it_ended(ended)
    said: object = None
    if problem is None and ended.log:
        try:
            said = json.loads(ended.log[-1])
        except ValueError:
            said = None
    if isinstance(said, dict) and isinstance(said.get("error"), str):
        raise FailedError("output_invalid", f"the chunks cannot be joined: {said['error']}")
    if not isinstance(said, dict) or said.get("packets") != frames:
        raise FailedError("output_invalid", f"the chunks could not be joined: {problem or said}")


@contextmanager
def _unnamed(path: Path) -> Iterator[int]:
    """A file that is gone with the agent."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        path.unlink()
        yield descriptor
    finally:
        os.close(descriptor)
