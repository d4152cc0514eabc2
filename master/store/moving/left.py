"""What a state directory says of a move, finished or not: so that no master takes it for an empty one.

`moving` is a directory with what is moved here, whole and compared; what is left to do is to rename it into
place. `moved` is a file: the records went elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from master.store.journal import PART, replace_file, sync_directory
from master.store.segments import segments

UNFINISHED = f"moving{PART}"
"""What is not whole yet: it counts for nothing."""
READY = "moving"
MARKER = "moved"
_PARTS = ("audit", "journal")
"""The directories that records and history are in; a state that has no journal has no records."""


@dataclass(frozen=True, slots=True)
class Departure:
    """Where records went that were here."""

    to: str
    at: datetime


def shown(moment: datetime) -> str:
    """A time as people read it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def departure(state_dir: Path) -> Departure | None:
    """Where this directory's records went; None if they are here, or if there never were any."""
    try:
        said = json.loads((state_dir / MARKER).read_bytes())
    except FileNotFoundError:
        return None
    return Departure(said["to"], datetime.fromisoformat(said["at"]))


def refusal(state_dir: Path) -> str | None:
    """Why no master may keep its records in this directory just now, and what to do; None if it may."""
    if (state_dir / READY).exists():
        return (
            f"records were being moved to {state_dir}, and are not all in place; run `ffrtmp migrate` again"
        )
    gone = departure(state_dir)
    if gone is None:
        return None
    return (
        f"the records of {state_dir} were moved to {gone.to} at {shown(gone.at)}; start with "
        "--store and that address, or move them back: `ffrtmp migrate` (docs/scaling.md)"
    )


def has_records(state_dir: Path) -> bool:
    """Whether a master kept records here, or a history."""
    journal = state_dir / "journal"
    known = (journal / "snapshot").exists() or bool(segments(journal))
    return known or any((state_dir / "audit").glob("*.gz"))


def arrive(state_dir: Path) -> None:
    """Put what is `READY` into its place; what was interrupted there is gone on with."""
    ready = state_dir / READY
    if not ready.exists():
        return
    for name in _PARTS:
        if (ready / name).exists():
            _remove_empty(state_dir / name)
            (ready / name).rename(state_dir / name)
    sync_directory(ready)
    sync_directory(state_dir)
    (state_dir / MARKER).unlink(missing_ok=True)
    ready.rmdir()
    sync_directory(state_dir)


def leave(state_dir: Path, gone: Departure) -> None:
    """Say that the records are elsewhere from now on, and set aside what was here."""
    text = json.dumps({"to": gone.to, "at": gone.at.isoformat()})
    replace_file(state_dir / MARKER, [text.encode()])
    set_aside(state_dir)


def set_aside(state_dir: Path) -> None:
    """Rename what is here although the records were moved elsewhere."""
    gone = departure(state_dir)
    if gone is None:
        return
    for name in _PARTS:
        if (state_dir / name).exists():
            (state_dir / name).rename(_aside(state_dir, name, gone))
    sync_directory(state_dir)


def kept(state_dir: Path) -> list[Path]:
    """Where that is."""
    gone = departure(state_dir)
    paths = [] if gone is None else [_aside(state_dir, name, gone) for name in reversed(_PARTS)]
    return [path for path in paths if path.exists()]


def _aside(state_dir: Path, name: str, gone: Departure) -> Path:
    return state_dir / f"{name}.moved-{gone.at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _remove_empty(directory: Path) -> None:
    """A directory without records, which may have lock files in it."""
    if directory.exists():
        for lock in directory.glob("*.lock"):
            lock.unlink()
        directory.rmdir()
