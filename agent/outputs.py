"""Outputs of finished jobs do not fill the disk: the oldest go, by age and by size."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from agent.publish import manifest
from agent.publish.bring import remove
from agent.publish.place import COMPANIONS
from common.scenarios import SCENARIOS
from common.settings import CONTAINERS

log = logging.getLogger(__name__)

_JOB_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_FILES = frozenset(f"{name}.{container.suffix}" for name in SCENARIOS for container in CONTAINERS.values())
"""Finished outputs, as the runner names them; an unfinished one ends in `.part`."""
_DIRECTORIES = frozenset(SCENARIOS) | frozenset(name + COMPANIONS.decode() for name in _FILES)
"""Of outputs that are several files; each has a list of them (`agent.publish.manifest`)."""
_MOST_AHEAD = 60.0
"""Seconds that the wall clock may gain after the agent's start; small corrections are less."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Output:
    """What one job left."""

    job_id: str
    modified: float
    """When its newest file was written, in seconds of Unix time."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """What both clocks of the machine said at one moment."""

    wall: float
    """Unix time; people and programs set it."""
    steady: float
    """Seconds on a clock that nobody sets, and that goes on while the machine sleeps."""


def set_ahead(begun: Clocks, now: Clocks) -> bool:
    """Whether the wall clock is ahead of what it was at `begun` and what has passed since. Pure.

    To a clock that was set ahead everything is old, also what was written a moment ago.
    """
    return now.wall - begun.wall > now.steady - begun.steady + _MOST_AHEAD


def superfluous(
    outputs: Collection[Output], now: float, most_seconds: float, most_bytes: int
) -> list[Output]:
    """Those that are to go, oldest first: what is older than `most_seconds`, and then the oldest
    until the others have no more than `most_bytes`. Pure; `now` is Unix time.
    """
    going = []
    left = sum(output.size for output in outputs)
    for output in sorted(outputs, key=lambda output: (output.modified, output.job_id)):
        if now - output.modified <= most_seconds and left <= most_bytes:
            break
        going.append(output)
        left -= output.size
    return going


def prune(
    work_dir: Path,
    now: float,
    most_seconds: float,
    most_bytes: int | None,
    running: Callable[[], Collection[str]],
) -> None:
    """Remove superfluous outputs from `work_dir`; `most_bytes` None: half of its file system.

    `now` is Unix time. Touches only directories with a job's id for a name and nothing but finished
    outputs in them, and none of a `running` job. Never raises OSError.
    """
    try:
        here = os.open(work_dir, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        log.warning("Cannot look for old outputs in %s: %s", work_dir, error.strerror)
        return
    try:
        if most_bytes is None:
            disk = os.fstatvfs(here)
            most_bytes = disk.f_blocks * disk.f_frsize // 2
        found = [output for name in _names(here) if (output := _look(here, name)) is not None]
        finished = [output for output in found if output.job_id not in running()]
        for output in superfluous(finished, now, most_seconds, most_bytes):
            if output.job_id not in running() and _remove(here, output.job_id):
                log.info("Removed the old output of job %s (%d bytes)", output.job_id, output.size)
    except OSError as error:
        log.warning("Cannot remove old outputs in %s: %s", work_dir, error.strerror)
    finally:
        os.close(here)


def _look(here: int, name: str) -> Output | None:
    """What the job of that name left in the directory `here`; None if it is not ours alone to remove."""
    if not _JOB_ID.fullmatch(name):
        return None
    try:
        directory = os.open(name, _DIRECTORY, dir_fd=here)
    except OSError:  # no directory, or a link to one
        return None
    try:
        ours = _ours(directory, name)
        if ours is None:
            return None
        modified = max((about.st_mtime for about in ours), default=os.fstat(directory).st_mtime)
        return Output(name, modified, sum(about.st_size for about in ours))
    except FileNotFoundError:  # it changes just now: another agent may share the work directory
        return None
    finally:
        os.close(directory)


def _ours(directory: int, job_id: str) -> list[os.stat_result] | None:
    """What is known of each file in the job's open directory; None if not all of them are its outputs."""
    found = []
    for name in _names(directory):
        about = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if name in _FILES and stat.S_ISREG(about.st_mode):
            found.append(about)
            continue
        listed = manifest.ours(directory, os.fsencode(name)) if name in _DIRECTORIES else None
        if listed is None or listed.job_id != job_id:
            return None
        inner = os.open(name, _DIRECTORY, dir_fd=directory)
        try:
            found += [about for _, _, about in manifest.walk(inner)]
        finally:
            os.close(inner)
    return found


def _remove(here: int, name: str) -> bool:
    """Whether the job's directory is gone; what was put into it meanwhile stays, and so does it."""
    if _look(here, name) is None:
        return False
    directory = os.open(name, _DIRECTORY, dir_fd=here)
    try:
        for file in _names(directory):
            if file in _FILES or file in _DIRECTORIES:
                remove(directory, os.fsencode(file))
    finally:
        os.close(directory)
    try:
        os.rmdir(name, dir_fd=here)
    except OSError:
        return False
    return True


def _names(directory: int) -> list[str]:
    with os.scandir(directory) as entries:
        return [entry.name for entry in entries]
