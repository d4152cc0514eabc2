"""Runs Python of ours in a process of its own, in the sandbox: what reads hostile files is not the agent.

An attempt has hosts for that (`agent.hosts`), where there is a sandbox: their forks need not load libav anew.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import agent
import common
from agent.ffmpeg.limits import Limits
from agent.ffmpeg.process import Ended, run, watch
from agent.ffmpeg.spawner import Spawner
from agent.hosts.host import Host, HostError, UnwantedError
from agent.hosts.inside import NUMBERS
from agent.probed import ProbeError
from agent.sandbox import Sandbox

log = logging.getLogger(__name__)

MEMORY = 1024**3
"""Bytes that such a process may take."""
_PYTHON = (str(Path(sys.executable).resolve()), "-I", "-S")
_SERVE = "import sys; sys.path += sys.argv[2:]; from agent.hosts.inside import serve; serve(int(sys.argv[1]))"
_NO_LIMITS = Limits(memory=MEMORY, cpu_seconds=10**9, output_bytes=2**62)
"""A host's own: it has none that its forks need not have. It reads no media, and nobody waits for it."""
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
    argv = [str(len(arguments)), *arguments, *_directories(code)]
    family = sandbox.family if sandbox.has_monitor and _fits(limits, descriptors) else None
    if family is not None and family.hosts.work:
        started = time.monotonic()
        try:
            with family.lend(lambda: _host(spawner, sandbox, code)) as host:
                fork = host.ask(text, argv, limits, descriptors, lambda: not abort.is_set())
                ended = watch(fork, started, limits, abort, may_work)
                if ended.why is not None:  # also if the fork was quicker than its end
                    host.end()
                return ended
        except UnwantedError:
            pass  # what is started below is told at once
        except HostError as error:  # nothing was begun
            log.warning("What reads a file is started as a process of its own, as its host failed: %s", error)
    return run(
        spawner,
        [*_PYTHON, "-c", text, *argv],
        Path("/"),
        limits=limits,
        abort=abort,
        may_work=may_work,
        sandbox=sandbox,
        readable=[*code, *_interpreter()],
        descriptors=descriptors,
        writable=False,
    )


def _fits(limits: Limits, descriptors: Sequence[int]) -> bool:
    """Whether a host's fork can have these; its limits can only be lower than the host's."""
    return limits.memory <= MEMORY and all(2 < number < NUMBERS for number in descriptors)


def _host(spawner: Spawner, sandbox: Sandbox, code: Sequence[Path]) -> Host:
    """A new one: started as a process that reads files is, but without files."""
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            argv = [*_PYTHON, "-c", _SERVE, str(theirs.fileno()), *_directories(code)]
            caged = sandbox.wrap(argv, None, [*code, *_interpreter()])
            return Host(spawner.spawn(caged, Path("/"), _NO_LIMITS, [theirs.fileno()], greets=True), ours)
        except BaseException:
            ours.close()
            raise


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


def _directories(code: Sequence[Path]) -> list[str]:
    """Where Python finds them."""
    return list(dict.fromkeys(str(module.parent) for module in code))


def _interpreter() -> list[Path]:
    """Where Python has its own modules, unless that is among the system's directories."""
    base = Path(sys.base_prefix).resolve()
    return [] if base.is_relative_to("/usr") else [base]
