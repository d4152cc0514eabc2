"""Runs Python programs as the agent runs ffmpeg: by the spawner, in a sandbox or without."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

from agent.ffmpeg.limits import Limits
from agent.ffmpeg.process import Ended, run
from agent.ffmpeg.spawner import Spawner
from agent.sandbox import Sandbox

PYTHON = str(Path(sys.executable).resolve())
BASE = Path(sys.base_prefix)
PATIENT = Limits(first=60, stall=60, last=60, total=60)


def python(
    spawner: Spawner, sandbox: Sandbox, cwd: Path, body: str, limits: Limits = PATIENT, **more: Any
) -> Ended:
    """How `body` ended; what it prints to stderr is in the log."""
    more.setdefault("abort", threading.Event())
    readable = [BASE, *more.pop("readable", ())]
    return run(spawner, argv(body), cwd, limits=limits, sandbox=sandbox, readable=readable, **more)


def argv(body: str) -> list[str]:
    say = "def say(*words): print(*words, file=sys.stderr, flush=True)"
    return [PYTHON, "-I", "-S", "-c", f"import os, signal, socket, sys, time\n{say}\n{body}"]


def pids(mark: str, *, monitors: bool = False) -> list[int]:
    """The programs with `mark` in their command line, by their numbers outside; on demand with all
    that starts and watches them.
    """
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if mark.encode() in b" ".join(words) and (monitors or words[0] == PYTHON.encode()):
                found.append(int(entry.name))
        except OSError:  # it has just ended
            continue
    return found
