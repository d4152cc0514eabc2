"""What an output file really is, and whether that is what was asked for."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import stat
import sys
import threading
from pathlib import Path
from typing import get_type_hints

import agent
import common
from agent.ffmpeg.limits import Limits
from agent.ffmpeg.process import Ended, run
from agent.ffmpeg.source import DEMUXERS
from agent.ffmpeg.spawner import Spawner
from agent.ffmpeg.timing import duration, frame_rate
from agent.inputs.media import reopen
from agent.prober import Probe, ProbeError
from agent.sandbox import Sandbox
from common.settings import EncodeSettings

__all__ = ["Probe", "ProbeError", "probe", "probe_open", "verify"]

_PROGRAM = "import sys; sys.path += sys.argv[4:]; from agent.prober import main; main(*sys.argv[1:4])"
_MEMORY = 1024**3
_PATIENCE = 60.0
"""Seconds that the smallest file may take."""
_SLOWEST = 5_000_000
"""Bytes that are read in a second from a slow disk."""
_NO_SANDBOX = Sandbox()
_TYPES = get_type_hints(Probe)


def probe(path: Path, spawner: Spawner, sandbox: Sandbox = _NO_SANDBOX) -> Probe:
    """`probe_open` of the regular file at `path`, and of nothing else that was put there.

    OSError if there is no such file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ProbeError(f"{path.name} is no regular file")
        return probe_open(descriptor, path.name, spawner, sandbox)
    finally:
        os.close(descriptor)


def probe_open(
    descriptor: int,
    name: str,
    spawner: Spawner,
    sandbox: Sandbox = _NO_SANDBOX,
    abort: threading.Event | None = None,
) -> Probe:
    """Has a process of its own read the whole open file once, without decoding it.

    It can write nothing, and open no other file. `name` is what errors call it. ProbeError if the
    file is no video, or if that process fails, takes too much, or is ended by `abort`.
    """
    own = reopen(descriptor)  # who reads the file next begins at its beginning
    try:
        ended = _measured(own, name, spawner, sandbox, abort or threading.Event())
    finally:
        os.close(own)
    return _understand(ended, name)


def _measured(
    descriptor: int, name: str, spawner: Spawner, sandbox: Sandbox, abort: threading.Event
) -> Ended:
    seconds = _PATIENCE + os.fstat(descriptor).st_size / _SLOWEST
    limits = Limits(
        *(seconds,) * 4, grace=0.0, memory=_MEMORY, cpu_seconds=math.ceil(seconds), output_bytes=0
    )
    code = _code()
    argv = [str(Path(sys.executable).resolve()), "-I", "-S", "-c", _PROGRAM]
    return run(
        spawner,
        [*argv, name, str(descriptor), DEMUXERS, *dict.fromkeys(str(module.parent) for module in code)],
        Path("/"),
        limits=limits,
        abort=abort,
        sandbox=sandbox,
        readable=[*code, *_interpreter()],
        descriptors=[descriptor],
        writable=False,
    )


def _code() -> list[Path]:
    """The directories of what is imported to measure a file; a PEX keeps each in another place."""
    found = importlib.util.find_spec("av")
    if found is None or found.origin is None:
        raise ProbeError("the package av is missing; install the agent again")
    av = Path(found.origin).resolve().parent
    modules = [av, *(Path(str(module.__file__)).resolve().parent for module in (agent, common))]
    libraries = av.parent / "av.libs"  # where wheels of Linux keep their libraries
    return [*modules, libraries] if libraries.is_dir() else modules


def _interpreter() -> list[Path]:
    """Where Python has its own modules, unless that is among the system's directories."""
    base = Path(sys.base_prefix).resolve()
    return [] if base.is_relative_to("/usr") else [base]


def _understand(ended: Ended, name: str) -> Probe:
    """What the process said, which is believed no more than the file is."""
    if ended.why is not None:
        raise ProbeError(f"{name} could not be measured: it took too much ({ended.why})")
    if ended.returncode != 0 or not ended.log:
        how = f"signal {ended.signal}" if ended.returncode is None else f"exit code {ended.returncode}"
        last = ended.log[-1] if ended.log else "it said nothing"
        raise ProbeError(f"{name} could not be measured: the process ended with {how}: {last}")
    try:
        said = json.loads(ended.log[-1], parse_constant=lambda _: None)  # NaN would pass all comparisons
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or not _TYPES.keys() | {"error"} >= said.keys():
        said = {}
    if isinstance(said.get("error"), str):
        raise ProbeError(said["error"])
    if not all(key in said and isinstance(said[key], kind) for key, kind in _TYPES.items()):
        raise ProbeError(f"{name} could not be measured: the answer was {ended.log[-1][:200]!r}")
    return Probe(**said)


def verify(probed: Probe, settings: EncodeSettings, fewer: int = 0) -> str | None:
    """A sentence that says in what the output differs from what was asked; None if it does not.

    The rate may differ by 0.1 % (containers round it), a length by one frame or 50 ms,
    whichever is more; everything else must be equal. `fewer`: frames that may be missing at
    the end of an input, whose sound may also end before its picture.
    """
    asked_rate = float(frame_rate(settings.fps))
    length = duration(settings)
    slack = max((1 + fewer) / asked_rate, 0.05)
    frames = probed.frames if 0 <= settings.frames - probed.frames <= fewer else settings.frames
    wrong = [
        f"{name} is {is_} instead of {asked}"
        for name, is_, asked in (
            ("the size", f"{probed.width}x{probed.height}", f"{settings.width}x{settings.height}"),
            ("the codec", probed.codec, settings.codec),
            ("the pixel format", probed.pixel_format or "unknown", settings.pixel_format),
            ("the number of frames", probed.frames, frames),
            ("the audio codec", probed.audio_codec or "none", settings.audio),
        )
        if is_ != asked
    ]
    if probed.frame_rate is None or abs(probed.frame_rate - asked_rate) > asked_rate / 1000:
        wrong.append(f"the frame rate is {_round(probed.frame_rate)} instead of {_round(asked_rate)}")
    if abs(probed.duration - length) > slack:
        wrong.append(f"the duration is {_round(probed.duration)} s instead of {_round(length)} s")
    silence = 0.0 if probed.audio_duration is None else length - probed.audio_duration
    if silence < -slack or (silence > slack and not fewer):
        wrong.append(f"the sound lasts {_round(probed.audio_duration)} s instead of {_round(length)} s")
    return f"the output is not what was asked for: {'; '.join(wrong)}" if wrong else None


def _round(value: float | None) -> str:
    return "unknown" if value is None else f"{round(value, 3):g}"
