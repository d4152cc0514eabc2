"""What a media file really is, found out by a process of its own."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import cattrs

from agent.apart import PATIENCE, how_it_ended, limits_of, program, run_apart
from agent.ffmpeg.process import Ended
from agent.ffmpeg.source import DEMUXERS
from agent.ffmpeg.spawner import Spawner
from agent.inputs.media import reopen
from agent.probed import Counted, Heard, Probe, ProbeError
from agent.prober import CHUNK, LINE, SOUND
from agent.sandbox import Sandbox

__all__ = ["Probe", "ProbeError", "probe", "probe_chunk", "probe_open", "probe_sound"]

_PROGRAM = program("agent.prober")
_PATIENCE = PATIENCE
_NO_SANDBOX = Sandbox()
_Found = TypeVar("_Found", Probe, Heard, Counted)
_converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)


def _exactly(*kinds: type) -> Any:
    def structure(value: Any, kind: type) -> Any:
        if type(value) not in kinds:
            raise ValueError(f"{value!r} is no {kind.__name__}")
        return kind(value)

    return structure


for _kind, _taken in ((bool, (bool,)), (int, (int,)), (float, (float, int)), (str, (str,))):
    _converter.register_structure_hook(_kind, _exactly(*_taken))


def probe(path: Path, spawner: Spawner, sandbox: Sandbox = _NO_SANDBOX) -> Probe:
    """`probe_open` of the regular file at `path`, and of nothing else that was put there.

    OSError if there is no such file.
    """
    with _regular(path) as descriptor:
        return probe_open(descriptor, path.name, spawner, sandbox)


def probe_sound(path: Path, spawner: Spawner, sandbox: Sandbox = _NO_SANDBOX) -> Heard:
    """What a file is that has nothing but sound in it; as `probe`."""
    with _regular(path) as descriptor:
        ended = _measured(descriptor, path.name, spawner, sandbox, threading.Event(), SOUND)
    return _understand(ended, path.name, Heard)


def probe_chunk(
    path: Path, asked: Sequence[int], spawner: Spawner, sandbox: Sandbox = _NO_SANDBOX
) -> Counted:
    """What a chunk is, and when its frames with the numbers `asked` are shown; as `probe`."""
    what = CHUNK + ",".join(map(str, asked))
    with _regular(path) as descriptor:
        ended = _measured(descriptor, path.name, spawner, sandbox, threading.Event(), what)
    return _understand(ended, path.name, Counted)


@contextmanager
def _regular(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ProbeError(f"{path.name} is no regular file")
        yield descriptor
    finally:
        os.close(descriptor)


def probe_open(
    descriptor: int,
    name: str,
    spawner: Spawner,
    sandbox: Sandbox = _NO_SANDBOX,
    abort: threading.Event | None = None,
    until: float | None = None,
) -> Probe:
    """Has a process of its own read the whole open file once, and decode its first picture.

    It can write nothing, and open no other file. `name` is what errors call it; `until`: seconds from
    the file's start before which pictures are counted apart (`Probe.begun`). ProbeError if the
    file is no video, or if that process fails, takes too much, or is ended by `abort`.
    """
    own = reopen(descriptor)  # who reads the file next begins at its beginning
    try:
        ended = _measured(own, name, spawner, sandbox, abort or threading.Event(), _what(until))
    finally:
        os.close(own)
    return _understand(ended, name, Probe)


def _measured(
    descriptor: int,
    name: str,
    spawner: Spawner,
    sandbox: Sandbox,
    abort: threading.Event,
    what: str,
) -> Ended:
    limits = limits_of(os.fstat(descriptor).st_size, _PATIENCE)
    arguments = [name, str(descriptor), DEMUXERS, what]
    return run_apart(_PROGRAM, arguments, spawner, sandbox, abort, limits, [descriptor])


def _what(until: float | None) -> str:
    return "" if until is None else repr(until)


def _understand(ended: Ended, name: str, kind: type[_Found]) -> _Found:
    """What the process said, which is believed no more than the file is."""
    problem = how_it_ended(ended)
    if problem is not None:
        raise ProbeError(f"{name} could not be measured: {problem}")
    text = _answer(ended.log)
    try:
        said = json.loads(text, parse_constant=lambda _: None)  # NaN would pass all comparisons
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict) and isinstance(said.get("error"), str):
        raise ProbeError(said["error"])
    try:
        return _converter.structure(said, kind)
    except Exception as error:
        raise ProbeError(f"{name} could not be measured: the answer was {text[:200]!r}") from error


def _answer(log: Sequence[str]) -> str:
    """The last line, with those before it that were too long for one."""
    first = len(log) - 1
    while first > 0 and len(log[first - 1]) == LINE:
        first -= 1
    return "".join(log[first:])
