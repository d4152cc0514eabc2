"""The piece of an input that one window is made from: only its picture, and what is needed to decode it."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.apart import how_it_ended, program, run_apart
from agent.chunks.cutter import Made, Wanted
from agent.chunks.facts import another
from agent.chunks.given import Given, by_parts, in_place
from agent.ffmpeg.process import Ended
from agent.ffmpeg.source import DEMUXERS
from agent.ffmpeg.spawner import Spawner
from agent.inputs.rules import InputFailedError
from agent.inputs.source import open_input
from agent.probed import ProbeError
from agent.sandbox import Sandbox
from agent.task import AbortedError, Task
from common.inputs import stored_file
from common.model import Window

_PROGRAM = program("agent.chunks.cutter")
_MORE = 64 * 1024**2
"""Bytes by which a piece may be larger than the whole input: what NUT writes around packets is little."""


@dataclass(frozen=True, slots=True)
class Piece:
    """An open NUT file that has no name. Its times never are below 0, but they need not begin with 0: ffmpeg
    must be told to leave them as they are (`-copyts`).
    """

    descriptor: int
    base: int
    """Ticks of the window's time base: to be added to a picture's time in the piece, as such ticks, to get
    its time from the input's start."""
    packets: int
    """Of pictures."""
    size: int
    """Bytes."""
    read: int = 0
    """Bytes of the input that were read for it, where they came from the file store; else 0."""

    def rewound(self) -> int:
        """The descriptor, to be read from the beginning by the next program that inherits it."""
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        return self.descriptor


@contextmanager
def piece(task: Task, window: Window) -> Iterator[Piece]:
    """The piece of the attempt's input for `window`, for as long as the block lasts.

    Of a stored file that is not in the cache, only the bytes are got that are needed for it.
    `InputFailedError` if the input cannot be had or read; `AbortedError`; OSError if the agent cannot work.
    """
    tools, text = task.tools, task.assignment.input
    if text is None:
        raise InputFailedError("input_refused", "a picture that ffmpeg makes has no pieces")
    with _given(task, text) as given:
        changed = another(task.assignment.source, given.size)
        if changed is not None:
            raise InputFailedError("input_invalid", changed)
        with piece_of(
            given, window, task.directory, tools.spawner, tools.sandbox, tools.abort, tools.may_work
        ) as cut:
            yield cut


@contextmanager
def _given(task: Task, text: str) -> Iterator[Given]:
    tools = task.tools
    sha256 = stored_file(text)
    if sha256 is None or tools.files is None:
        unfinished = task.directory / "input"
        with (
            open_input(text, tools.inputs, unfinished, tools.abort, tools.files) as descriptor,
            in_place(descriptor) as given,
        ):
            yield given
        return
    cached = tools.files.cached(sha256, tools.abort)
    if cached is None:
        with by_parts(tools.files, sha256, tools.inputs.max_size, tools.abort) as given:
            yield given
        return
    try:
        with in_place(cached) as given:
            yield given
    finally:
        os.close(cached)


@contextmanager
def piece_of(
    given: Given,
    window: Window,
    directory: Path,
    spawner: Spawner,
    sandbox: Sandbox,
    abort: threading.Event,
    may_work: Callable[[], bool] = lambda: True,
) -> Iterator[Piece]:
    """`piece` of what is given; it takes space in `directory`."""
    wanted = json.dumps(asdict(Wanted(window.seek, window.ticks[3], window.time_base)))
    with tempfile.TemporaryFile(dir=directory) as file:
        try:
            ended = run_apart(
                _PROGRAM,
                [*given.words, DEMUXERS, str(file.fileno()), wanted],
                spawner,
                sandbox,
                abort,
                given.limits(output=given.size + _MORE),
                [given.descriptor, file.fileno()],
                lambda: may_work() and given.may_work(),
            )
        except ProbeError as error:
            raise OSError(str(error)) from error
        if ended.why == "aborted":
            raise AbortedError
        given.check()
        made = _understand(ended)
        yield Piece(file.fileno(), made.base, made.packets, os.fstat(file.fileno()).st_size, given.got)


def _understand(ended: Ended) -> Made:
    """What the process said, which is believed no more than the file is."""
    problem = how_it_ended(ended)
    if problem is not None:
        raise InputFailedError("input_invalid", f"no piece of the input could be cut: {problem}")
    try:
        said: Any = json.loads(ended.log[-1]) if ended.log else None
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict) and isinstance(said.get("error"), str):
        raise InputFailedError("input_invalid", f"no piece of the input could be cut: {said['error']}")
    if (
        not isinstance(said, dict)
        or set(said) != {"base", "packets"}
        or not all(type(number) is int for number in said.values())
        or said["packets"] < 1
    ):
        raise InputFailedError("input_invalid", f"no piece of the input could be cut: {str(said)[:200]!r}")
    return Made(said["base"], said["packets"])
