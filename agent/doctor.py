"""`agent --doctor`: whether this machine can be a worker, found by trying what the agent will do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil

from agent.ffmpeg.discover import Toolbox, discover
from agent.ffmpeg.spawner import Spawner, SpawnError
from agent.sandbox import Mode, Sandbox, SandboxError, detect
from common.checkup import Finding, State

_DISK = 10 * 1024**3
"""Bytes: less is soon full of outputs."""
_MEMORY = 2 * 1024**3
"""Bytes: less is too little for most encodes of 1080p."""


def examine(work_dir: Path, ffmpeg: Path | None, sandbox: Mode) -> Iterator[Finding]:
    """What is found, one after another; the trial encodes take some seconds."""
    yield memory(psutil.virtual_memory().total)
    yield disk(work_dir, _free(work_dir))
    try:
        with Spawner() as spawner:
            found = detect(spawner, sandbox)
            yield of_sandbox(found)
            yield from of_toolbox(discover(spawner, ffmpeg, found), ffmpeg)
    except SpawnError as error:
        yield Finding("programs", State.BAD, str(error), "install the package util-linux")
    except SandboxError as error:
        yield Finding("sandbox", State.BAD, str(error), "install bubblewrap, or use --sandbox auto")


def memory(size: int) -> Finding:
    """Of the machine's memory, in bytes."""
    said = f"{size / 1024**3:.1f} GiB of memory"
    if size < _MEMORY:
        return Finding("memory", State.WARNING, said, "let it run one job at once: --max-concurrent-jobs 1")
    return Finding("memory", State.GOOD, said)


def disk(place: Path, free: int | None) -> Finding:
    """Of the room for outputs; `free` in bytes, None if it is not known."""
    if free is None:
        return Finding("disk", State.BAD, f"{place} cannot be looked at", "name another with --work-dir")
    said = f"{free / 1024**3:.1f} GiB are free in {place}"
    if free < _DISK:
        return Finding("disk", State.WARNING, said, "make room, or name another disk with --work-dir")
    return Finding("disk", State.GOOD, said)


def of_sandbox(sandbox: Sandbox) -> Finding:
    """Of what ffmpeg runs in."""
    if sandbox.is_whole:
        return Finding("sandbox", State.GOOD, sandbox.describe())
    return Finding(
        "sandbox", State.WARNING, sandbox.describe(), "see docs/security.md for what that leaves open"
    )


def of_toolbox(toolbox: Toolbox, named: Path | None) -> Iterator[Finding]:
    """Of ffmpeg and its encoders, each of which has encoded a trial here."""
    if not toolbox.encoders:
        yield Finding(
            "ffmpeg", State.BAD, "no ffmpeg with a working encoder was found", "name one with --ffmpeg"
        )
    else:
        yield Finding("ffmpeg", State.GOOD, f"version {toolbox.version}")
    if named is not None and (why := toolbox.failed.get(str(named.absolute()))):
        yield Finding(
            "ffmpeg", State.WARNING, f"{named} is not used: {why}", "what it needs must be below /usr"
        )
    if toolbox.encoders:
        yield Finding("encoders", State.GOOD, ", ".join(toolbox.encoders))
    others = {name: why for name, why in toolbox.failed.items() if not name.startswith("/")}
    for name, why in sorted(others.items()):
        yield Finding(name, State.SKIPPED, f"does not work here: {why}")


def _free(place: Path) -> int | None:
    there = next(each for each in (place, *place.absolute().parents) if each.exists())
    try:
        return shutil.disk_usage(there).free
    except OSError:
        return None
