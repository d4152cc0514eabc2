"""Journal segments as files: their names, and what can be read back of each.

A segment ends at its end or where only zeros follow: the last one is preallocated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from master.store import formats
from master.store.frames import Frame, Hole, holes, sound_frames
from master.store.journal import JournalError, replace_file

_NAME = re.compile(r"\d{12}\.journal", re.ASCII)


class Record(NamedTuple):
    """What was journaled together."""

    offset: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment that was read back."""

    format: int | None
    """None: its stamp is gone."""
    records: Sequence[Record]
    """All that can be believed, in order, also those between and behind damage."""
    damage: Sequence[Hole]
    """What was acknowledged and cannot be read."""
    end: int
    """Where a torn tail begins, which nobody was told of; or just the end."""
    torn: int
    """The bytes of that tail, without the zeros at its end."""


def segments(directory: Path) -> list[Path]:
    """The segment files, oldest first; files with other names are not ours."""
    return sorted(path for path in directory.glob("*.journal") if _NAME.fullmatch(path.name))


def number_of(segment: Path) -> int:
    """A segment's number, from its name."""
    return int(segment.stem)


def examine(path: Path, *, last: bool) -> Segment:
    """What is in a segment, sound or not. `JournalError` if a newer program wrote it.

    A torn tail is possible only in the `last` one, since a segment is synced before the next
    one begins. There, what no later frame calls synced is part of the tail.
    """
    data = path.read_bytes().rstrip(b"\0")
    frames = list(sound_frames(data))
    unread = holes(data, frames)
    synced = max((each.synced for each in frames), default=0)
    damage = [hole for hole in unread if hole.offset < synced or not last]
    end = next((hole.offset for hole in unread if hole not in damage), len(data))
    believed = [each for each in frames if each.end <= end]
    return _segment(path, believed, damage, end, len(data) - end)


def read_segment(path: Path, *, last: bool) -> Segment:
    """A sound segment; `JournalError` if what was acknowledged is damaged, or a newer program wrote it."""
    found = examine_while_written(path) if last else examine(path, last=False)
    if found.damage:
        raise JournalError(
            f"the journal is damaged at offset {found.damage[0].offset} of {path}, in records that were "
            f"acknowledged; {what_to_do(path)}"
        )
    return found


def examine_while_written(path: Path) -> Segment:
    """The last segment, to which a master may be writing.

    Pages are read one by one: a record that came meanwhile may seem to have a hole. What is
    really damaged is damaged again when it is read again.
    """
    found = examine(path, last=True)
    while found.damage:
        again = examine(path, last=True)
        if again.damage == found.damage:
            return again
        found = again
    return found


def cut_tail(path: Path) -> int:
    """Cut a segment behind its last sound frame; answers how many bytes other than zeros went.

    What is sound is written anew: records that a killed master left in the page cache are
    about to be believed, and after a failed sync the kernel would not write them again.
    """
    found = examine(path, last=True)
    replace_file(path, [path.read_bytes()[: found.end]])
    return found.torn


def what_to_do(path: Path) -> str:
    """What a person can do about damage in this file of the journal."""
    return (
        f"`ffrtmp journal check --state-dir {path.parent.parent}` explains what can be saved, and "
        "docs/backup.md how to restore a backup"
    )


def _segment(path: Path, frames: Sequence[Frame], damage: Sequence[Hole], end: int, torn: int) -> Segment:
    written: int | None = None
    if frames and frames[0].offset == 0:
        written = 1
        if frames[0].payload.startswith(b"{"):
            written = _checked_format(path, frames[0].payload)
            frames = frames[1:]
    records = [Record(each.offset, each.payload) for each in frames if each.payload]
    return Segment(written, records, damage, end, torn)


def _checked_format(path: Path, stamp: bytes) -> int:
    stamped = json.loads(stamp)
    if (refusal := formats.refusal(stamped)) is not None:
        raise JournalError(f"{path} {refusal}")
    return int(stamped["format"])
