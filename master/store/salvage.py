"""What can be saved of a journal, sound or damaged: all before the damage, and what still fits behind it.

Nothing is changed here; `master.store.repair` writes what was found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common.model import Job, Node, Token, Webhook
from master.lifecycle import Record, apply, fits
from master.lifecycle.events import (
    Event,
    JobSubmitted,
    NodeRegistered,
    RecordKey,
    TokenCreated,
    WebhookCreated,
)
from master.store import codec, formats, segments, snapshot
from master.store.audit import AuditFiles
from master.store.frames import Frame, Hole, holes, sound_frames
from master.store.journal import JournalError

Kind = type[Job] | type[Node] | type[Token] | type[Webhook]
_NAMED = re.compile(
    rb'"(?:(?:(?P<kind>job|node|token|webhook)(?:_id":|":\{"id":))|record":"(?P<record>Job|Node|Token|Webhook)","id":)"(?P<id>[\w.:-]+)"'
)
"""Where events and records name what they are about: mostly still legible where a frame is damaged."""
_KINDS: dict[bytes, Kind] = {b"job": Job, b"node": Node, b"token": Token, b"webhook": Webhook}


@dataclass(frozen=True, slots=True)
class FileState:
    """What one file of the journal is like."""

    name: str
    format: int | None = None
    """None: it cannot be told."""
    entries: int = 0
    """Sound ones: records of the snapshot, transactions of a segment."""
    torn: int = 0
    """Bytes of an unfinished record at the end: harmless, since nobody was told of it."""
    damage: Sequence[Hole] = ()
    missing: bool = False

    @property
    def sound(self) -> bool:
        """Whether nothing that was acknowledged is lost in it."""
        return not self.damage and not self.missing


@dataclass(slots=True)
class Salvage:
    """What was found, and what it leads to."""

    files: list[FileState] = field(default_factory=list)
    before: int = 0
    """Transactions before the first damage; all of them can be saved."""
    behind: int = 0
    """Whole transactions behind it."""
    kept: int = 0
    """Those of them that still fit, and can be saved."""
    gap: bool = False
    """Whether something is lost before what is read next, or was at the end."""
    touched: set[RecordKey] = field(default_factory=set)
    """The jobs, nodes, tokens and webhooks that what is lost was about, as far as it can be told."""
    covers: int = 0
    """The last segment that there is, or was."""
    history: int = 0
    """How many events there were at least."""
    records: dict[RecordKey, Record] = field(default_factory=dict)
    recorded: list[tuple[int, snapshot.Recorded]] = field(default_factory=list)
    """The transactions of the segments, for the audit, also those that do not fit: and how long the history
    was before each at least."""
    broken: set[RecordKey] = field(default_factory=set)
    """Records that something happened to which did not fit."""

    @property
    def sound(self) -> bool:
        """Whether nothing is damaged and nothing is missing."""
        return all(file.sound for file in self.files)


def salvage(directory: Path) -> Salvage:
    """Read all of it, under the fold's lock. `JournalError` if a newer program wrote some of it."""
    found = Salvage()
    paths = segments.segments(directory)
    if (directory / snapshot.NAME).exists():
        _read_snapshot(found, directory / snapshot.NAME, paths)
    written = formats.FORMAT
    for path in paths:
        if segments.number_of(path) <= found.covers:
            continue  # a fold was about to remove it
        _note_missing(found, segments.number_of(path))
        if path == paths[-1]:
            segment = segments.examine_while_written(path)
        else:
            segment = segments.examine(path, last=False)
        # One whose stamp is gone was most likely written by the program that wrote the one before.
        written = segment.format or written
        _read_segment(found, path.name, segment, written)
        found.covers = segments.number_of(path)
    return found


def _read_snapshot(found: Salvage, path: Path, paths: Sequence[Path]) -> None:
    """The records to begin with; none where the segments go back to the beginning without it."""
    data = path.read_bytes()
    frames = list(sound_frames(data))
    header, end = _document(frames[:1]), _document(frames[-1:])
    if "format" in header and (refusal := formats.refusal(header)) is not None:
        raise JournalError(f"{path} {refusal}")
    written = header.get("format")
    records, damage = [], holes(data, frames)
    for each in frames["format" in header : len(frames) - ("records" in end)]:
        try:
            records.append(codec.decode_record(each.payload, written or formats.FORMAT))
        except codec.CodecError:
            damage.append(Hole(each.offset, each.payload))
    if not damage and end.get("records") != len(records):
        damage = [Hole(len(data), b"")]  # it ends too early
    found.files.append(FileState(path.name, written, len(records), damage=sorted(damage)))
    first = segments.number_of(paths[0]) if paths else 1
    if damage and paths and first == 1:
        return
    _note_damage(found, damage)
    found.covers = header.get("covers", first - 1)
    found.history = header.get("history") or max(
        snapshot.least_history(records), AuditFiles(snapshot.audit_directory(path.parent)).last()
    )
    found.records = {(type(record), record.id): record for record in records}


def _document(frames: Sequence[Frame]) -> formats.Document:
    """The JSON object in the first of `frames`; an empty one if there is none."""
    try:
        document = json.loads(frames[0].payload)
    except (LookupError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _note_missing(found: Salvage, number: int) -> None:
    """Note the segments between the last one and segment `number`."""
    if (first := found.covers + 1) < number:
        names = f"{first:012d}.journal" + (f" to {number - 1:012d}.journal" if first < number - 1 else "")
        found.files.append(FileState(names, missing=True))
        found.gap = True


def _note_damage(found: Salvage, damage: Sequence[Hole]) -> None:
    for hole in damage:
        found.gap = True
        for match in _NAMED.finditer(hole.data):
            kind = _KINDS[(match["kind"] or match["record"]).lower()]
            found.touched.add((kind, match["id"].decode()))


def _read_segment(found: Salvage, name: str, segment: segments.Segment, written: int) -> None:
    damage, entries = list(segment.damage), 0
    parts: list[segments.Record | Hole] = [*segment.records, *segment.damage]
    for part in sorted(parts, key=lambda part: part.offset):
        if isinstance(part, Hole):
            _note_damage(found, [part])
            continue
        try:
            recorded = codec.decode_recorded(part.payload, written)
            _carry_out(found, recorded)
        except (codec.CodecError, TypeError, LookupError):
            # Sound as bytes, but it is no transaction, or contradicts those before it.
            damage.append(Hole(part.offset, part.payload))
            _note_damage(found, damage[-1:])
        else:
            entries += 1
    found.files.append(FileState(name, segment.format, entries, segment.torn, sorted(damage)))


def _carry_out(found: Salvage, recorded: snapshot.Recorded) -> None:
    _, events = recorded
    if not found.gap:
        snapshot.put(found.records, events)
        found.before += 1
    else:
        found.behind += 1
        if _all_fit(found, events):
            snapshot.put(found.records, events)
            found.kept += 1
        else:
            found.broken.update(event.key for event in events)
            found.touched.update(event.key for event in events)
    found.recorded.append((found.history, recorded))
    found.history = snapshot.length_after(found.history, events)


def _all_fit(found: Salvage, events: Sequence[Event]) -> bool:
    """Whether all of a transaction still fits: it stands as a whole, or not at all.

    Once something did not fit a record, nothing more is believed of it until it is known anew.
    """
    changed: dict[RecordKey, Record | None] = {}
    for event in events:
        key = event.key
        record = changed[key] if key in changed else found.records.get(key)
        if isinstance(event, JobSubmitted | NodeRegistered | TokenCreated | WebhookCreated):
            found.broken.discard(key)
        if key in found.broken or not fits(record, event):
            return False
        changed[key] = apply(record, event)
    return True
