"""Runs Python of ours in a process of its own, in the sandbox: what reads hostile files is not the agent."""

from __future__ import annotations

import importlib.util
import math
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import agent
import common
from agent.ffmpeg.limits import Limits
from agent.ffmpeg.process import Ended, run
from agent.ffmpeg.spawner import Spawner
from agent.probed import ProbeError
from agent.sandbox import Sandbox

MEMORY = 1024**3
"""Bytes that such a process may take."""
PATIENCE = 60.0
"""Seconds that the smallest file may take."""
SLOWEST = 5_000_000
"""Bytes that are read in a second from a slow disk."""


def program(module: str) -> str:
    """What Python is told to run: `main` of one of our modules, with the arguments before the directories."""
    return f"import sys; n = int(sys.argv[1]); sys.path += sys.argv[n + 2:]; from {module} import main; " + (
        "main(*sys.argv[2:n + 2])"
    )


def limits_of(size: int, patience: float = PATIENCE, output: int = 0) -> Limits:
    """The limits for reading a file with `size` bytes once, and writing up to `output` bytes."""
    seconds = patience + size / SLOWEST
    return Limits(
        *(seconds,) * 4, grace=0.0, memory=MEMORY, cpu_seconds=math.ceil(seconds), output_bytes=output
    )


def run_apart(
    text: str,
    arguments: Sequence[str],
    spawner: Spawner,
    sandbox: Sandbox,
    abort: threading.Event,
    limits: Limits,
    descriptors: Sequence[int],
    may_work: Callable[[], bool] = lambda: True,
) -> Ended:
    """Runs the Python program `text`; it gets the number of `arguments`, these, and where our code is.

    It can open no file of its own, and has nothing but the open `descriptors`. ProbeError if the package
    av is missing.
    """
    code = _code()
    argv = [str(Path(sys.executable).resolve()), "-I", "-S", "-c", text]
    argv += [str(len(arguments)), *arguments]
    return run(
        spawner,
        [*argv, *dict.fromkeys(str(module.parent) for module in code)],
        Path("/"),
        limits=limits,
        abort=abort,
        may_work=may_work,
        sandbox=sandbox,
        readable=[*code, *_interpreter()],
        descriptors=descriptors,
        writable=False,
    )


def how_it_ended(ended: Ended) -> str | None:
    """What went wrong with the process itself, in words; None: it ended well and said something."""
    if ended.why is not None:
        return f"it took too much ({ended.why})"
    if ended.returncode == 0 and ended.log:
        return None
    how = f"signal {ended.signal}" if ended.returncode is None else f"exit code {ended.returncode}"
    last = ended.log[-1] if ended.log else "it said nothing"
    return f"the process ended with {how}: {last}"


def _code() -> list[Path]:
    """The directories of what is imported to read a file; a PEX keeps each in another place."""
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
