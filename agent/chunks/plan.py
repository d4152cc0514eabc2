"""Where an input may be divided, so that its chunks can be encoded on several machines."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from marshmallow import ValidationError

from agent.apart import how_it_ended, limits_of, program, run_apart
from agent.chunks.alike import reach, undivided
from agent.chunks.facts import FactsError, from_text, to_text
from agent.ffmpeg.source import DEMUXERS
from agent.ffmpeg.timing import frame_rate
from agent.inputs.measured import MeasuredInput
from agent.inputs.media import reopen
from agent.probed import ProbeError
from agent.publish.store import store
from agent.task import AbortedError, FailedError, Task
from common.inputs import StoredFile, Url, parse_input
from common.media_types import media_type_of
from common.model import Divisible, Value
from common.paths import HIDDEN
from common.schema import DivisibleSchema
from common.settings import EncodeSettings
from common.settings.tracks import sounds, subtitles

_PROGRAM = program("agent.chunks.planner")
_MOST_NAME = 255
_ANYTHING = "application/octet-stream"
_MOST_ANSWER = 4 * 1024**2
"""Bytes: MOST_CUTS cuts take a quarter of that."""


def find(task: Task, settings: EncodeSettings, given: MeasuredInput | None) -> Divisible:
    """Where the input may be divided, or why it may not be.

    Where other nodes cannot read it, it is put into the file store. `FailedError`, `AbortedError`,
    `OutputFailedError` if that does not take it.
    """
    if given is None:
        return Divisible("A picture that ffmpeg makes is encoded whole: there is no file to divide.")
    reason = undivided(settings)
    if reason is not None:
        return Divisible(f"The input is encoded whole: {reason}.")
    reason = given.gap
    if reason is not None:
        return Divisible(f"The input is encoded whole: {reason}.")
    source = to_text(given.source)
    try:
        from_text(source)
    except FactsError as error:
        return Divisible(f"The input is encoded whole: {error}.")
    found = _ask(task, given, _asked(settings, given, task.assignment.parameters))
    if found.reason is not None:
        return found
    probed = given.probed
    others = found.others or bool(probed.audio or probed.subtitles or probed.chapters)
    found = replace(found, source=source, others=others)
    return replace(found, input=_hand_on(task, given)) if task.assignment.hand_on else found


def _asked(settings: EncodeSettings, given: MeasuredInput, parameters: Mapping[str, Value]) -> str:
    rate = None if settings.every_frame else frame_rate(settings.fps)
    lead, tail = reach(settings)
    return json.dumps(
        {
            "rate": None if rate is None else [rate.numerator, rate.denominator],
            "frames": None if rate is None else settings.frames,
            "duration": parameters.get("duration"),
            "interlaced": given.probed.interlaced,
            "audio": [track.number for track in sounds(settings)],
            "subtitles": [track.number for track, _ in subtitles(settings)],
            "lead": lead,
            "tail": tail,
        }
    )


def _ask(task: Task, given: MeasuredInput, asked: str) -> Divisible:
    """What a process of its own says of the file, which is believed no more than the file is."""
    tools = task.tools
    with tempfile.TemporaryFile(dir=task.directory) as file:
        own = reopen(given.descriptor)  # who reads the file next begins at its beginning
        try:
            ended = run_apart(
                _PROGRAM,
                [str(own), DEMUXERS, str(file.fileno()), asked],
                tools.spawner,
                tools.sandbox,
                tools.abort,
                limits_of(os.fstat(own).st_size, output=_MOST_ANSWER),
                [own, file.fileno()],
                tools.may_work,
            )
        except ProbeError as error:
            raise FailedError("agent_error", str(error)) from error
        finally:
            os.close(own)
        if ended.why == "aborted":
            raise AbortedError
        problem = how_it_ended(ended) if ended.returncode != 0 or ended.why else None
        if problem is not None:
            return Divisible(f"The input is encoded whole: it could not be read for that ({problem[:200]}).")
        return _understand(os.pread(file.fileno(), _MOST_ANSWER, 0))


def _understand(answer: bytes) -> Divisible:
    try:
        said: Any = json.loads(answer)
        if isinstance(said, dict) and isinstance(said.get("error"), str):
            return Divisible(f"The input is encoded whole: {said['error']}.")
        return cast(Divisible, DivisibleSchema().load(said))
    except (ValueError, RecursionError, ValidationError) as error:
        said = f"what was found in it cannot be true ({str(error)[:200]})"
        return Divisible(f"The input is encoded whole: {said}.")


def _hand_on(task: Task, given: MeasuredInput) -> str:
    """Puts the input where every node finds it, under the name that it has where it is."""
    text = task.assignment.input or ""
    wanted = parse_input(text)
    if isinstance(wanted, StoredFile):
        return text
    name = called(text, url=isinstance(wanted, Url))
    path = Path(f"/proc/self/fd/{given.descriptor}")
    return f"file:{store(task, path, media_type_of(name) or _ANYTHING, name)}"


def called(text: str, *, url: bool) -> str:
    """What an input is called: the last name of its path, without what a URL asks for behind a `?`.

    At most 255 characters, from the end: there it says of what kind it is.
    """
    path = unquote(text.partition("?")[0], errors="replace") if url else text
    shown = HIDDEN.sub("_", path.rstrip("/").rpartition("/")[2])
    return shown[-_MOST_NAME:] or "input"
