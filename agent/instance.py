"""Which process works under an identity: kept, so that the next can prove that it has ended.

A master lets no other agent take an identity over while the one that has it is heard, since
the other may be a copy. An agent that starts anew on the same machine knows better.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from common.trust import write_private

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Process:
    """A process, told from all others, here and elsewhere, now and later."""

    pid: int
    started: int
    """When, in clock ticks since the machine's start: unlike wall time, nobody sets it."""
    boot_id: str
    machine_id: str


@dataclass(frozen=True, slots=True)
class Instance:
    """One run of an agent under its identity."""

    id: str
    process: Process
    replaces: str | None = None
    """The instance before it, which the master may take for living; None if it is not known to have ended."""
    registered: bool = False
    """Whether the master knows this one for sure."""


def successor(
    previous: Instance | None, process: Process, alive: Callable[[Process], bool], fresh_id: str
) -> Instance:
    """The instance that `process` is, after what is known of the `previous` one. Pure.

    One that ended before the master was known to know it has done nothing; its successor takes
    its place, so that whichever of the two the master knows, this one may replace it.
    """
    if previous is None or previous.process.machine_id != process.machine_id:
        return Instance(fresh_id, process)
    if previous.process.boot_id == process.boot_id and alive(previous.process):
        return Instance(fresh_id, process)
    if not previous.registered:
        return Instance(previous.id, process, previous.replaces)
    return Instance(fresh_id, process, previous.id)


def begin(directory: Path) -> Instance:
    """What this process is, kept durably in `directory` before the master hears of it."""
    instance = successor(_load(directory), this_process(), _alive, str(uuid.uuid4()))
    _save(directory, instance)
    return instance


def confirm(directory: Path, instance: Instance) -> None:
    """The master knows it now; kept before it takes any job."""
    _save(directory, replace(instance, replaces=None, registered=True))


def this_process() -> Process:
    """The one that runs this."""
    machine = _text("/etc/machine-id") or socket.gethostname()
    pid = os.getpid()
    return Process(pid, _started(pid) or 0, _text("/proc/sys/kernel/random/boot_id"), machine)


def _alive(process: Process) -> bool:
    return _started(process.pid) == process.started


def _started(pid: int) -> int | None:
    """When the process started, in clock ticks; None if there is none, or only what its parent must reap."""
    # The name, in parentheses, may hold anything. The rest begins with field 3 (proc_pid_stat(5)).
    fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return int(fields[19]) if fields and fields[0] not in "ZX" else None


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _load(directory: Path) -> Instance | None:
    path = directory / "instance.json"
    try:
        fields = json.loads(path.read_bytes())
        return Instance(**{**fields, "process": Process(**fields["process"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.warning("Cannot read %s, which tells of the agent before this one: %s", path, error)
        return None


def _save(directory: Path, instance: Instance) -> None:
    path = directory / "instance.json"
    try:
        write_private(path, json.dumps(asdict(instance)).encode())
    except OSError as error:  # a full disk, which old outputs may fill: an agent that works removes them
        log.warning(
            "Cannot write %s: %s; if this agent dies, the next has to wait until the master misses it",
            path,
            error.strerror,
        )
