"""The audit trail, read newest first: from the journal what no snapshot covers yet, and the audit's files.

Each recorded event is in one of them at every moment, and has one number. The journal is read
first: what is folded meanwhile is in the files by then. So nothing is missed, and what is met
twice is told by its number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Protocol

from common.model import Actor
from common.timestamps import timestamp
from master.lifecycle.audit import NAMES, Entry
from master.lifecycle.events import HistoryRewound
from master.store import blocks, codec, formats, segments, snapshot
from master.store.audit import BLOCK_BYTES, AuditFiles, Block
from master.store.blocks import DamagedError
from master.store.journal import JournalError

MAX_BYTES = 16 * 1024 * 1024
"""Of entries that one page is sought in: then it ends, be it full or not."""
_TRIES = 5
"""Folds that may end just while the segments are listed."""
_REWOUND = HistoryRewound.__name__.encode()
_CLASSES = {name: event.__name__ for event, name in NAMES.items()}
"""By an event's name in the audit: its class, as the journal names it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are asked for; None: any."""

    by: str | None = None
    event: str | None = None
    job_id: str | None = None
    node_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """They happened before it."""

    def fits(self, found: Entry) -> bool:
        """Whether this entry is one of them."""
        return (
            all(found[name] == value for name, value in self.values.items())
            # Timestamps in UTC have the order of their texts.
            and (self.since is None or found["at"] >= timestamp(self.since))
            and (self.until is None or found["at"] < timestamp(self.until))
        )

    @property
    def values(self) -> dict[str, str]:
        """What fields of the entry must be."""
        fields = {"by": self.by, "event": self.event, "job_id": self.job_id, "node_id": self.node_id}
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, newest first."""

    entries: Sequence[Entry]
    next: int | None
    """Further ones have lower numbers than this; None where nothing is left."""
    damaged: Sequence[str]
    """What could not be read on the way: entries are missing there."""


class Trail:
    """The trail of the journal in `directory`, and of the audit's files beside it."""

    def __init__(self, directory: Path) -> None:
        """Nothing is read yet."""
        self._directory = directory
        self.files = AuditFiles(snapshot.audit_directory(directory))
        self._begins: dict[int, int] = {}  # by segment: how long the history was before it

    def page(self, before: int, limit: int, wanted: Wanted) -> Page:
        """Up to `limit` entries with numbers below `before`. It may be short, or empty, before the end.

        `JournalError` if the journal cannot be numbered, since segments of it are missing.
        """
        found: list[Entry] = []
        damaged: list[str] = []
        place, looked_at = before, 0
        for piece in chain(self._journal(before), self._files(before, wanted)):
            if isinstance(piece, DamagedError):
                damaged.append(str(piece))
                continue
            if looked_at >= MAX_BYTES:
                return Page(found, place, damaged)
            try:
                looked_at += piece.size
                for each in piece.newest_first(wanted):
                    if not isinstance(each, dict):
                        damaged.append(str(each))
                    elif each["seq"] < place and len(found) == limit:
                        return Page(found, place, damaged)
                    elif each["seq"] < place:
                        place = each["seq"]
                        found.append(each)
            except FileNotFoundError:
                continue  # a segment that was just folded: it is in the files; or a file that was too old
            place = min(place, piece.first)
        return Page(found, None, damaged)

    def _journal(self, before: int) -> Iterator[_Piece]:
        pieces = self._numbered()
        return (piece for piece in reversed(pieces) if piece.first < before)

    def _files(self, before: int, wanted: Wanted) -> Iterator[_Piece | DamagedError]:
        """The blocks in which wanted entries can be; up to the first that is older than all of these.

        Clocks are set back now and then: what such a clock stamped is found if its block is newer.
        """
        for block in self.files.newest_first():
            if isinstance(block, DamagedError):
                yield block
                continue
            if wanted.since is not None and block.label.latest < wanted.since.timestamp():
                return
            early = wanted.until is None or block.label.earliest < wanted.until.timestamp()
            if early and block.label.first < before:
                yield _InFile(block)

    def _numbered(self) -> list[_InJournal]:
        """The segments that no snapshot covers yet, oldest first."""
        for _ in range(_TRIES):
            covers, history = snapshot.header(self._directory)
            paths = [path for path in segments.segments(self._directory) if segments.number_of(path) > covers]
            begins = {covers + 1: history}
            try:
                for path in paths[:-1]:
                    number = segments.number_of(path)
                    known = self._begins.get(number + 1)
                    begins[number + 1] = known or _length_after(path, begins[number])
                pieces = [
                    _InJournal(path, begins[segments.number_of(path)], last=path == paths[-1])
                    for path in paths
                ]
            except (FileNotFoundError, KeyError):
                continue  # a fold has just ended
            self._begins = begins
            return pieces
        advice = segments.what_to_do(self._directory / snapshot.NAME)
        raise JournalError(f"journal segments are missing in {self._directory}; {advice}")


class _Piece(Protocol):
    """A part of the trail."""

    @property
    def first(self) -> int:
        """The number of its first event."""

    @property
    def size(self) -> int:
        """About how many bytes of entries are in it; FileNotFoundError if it is gone."""

    def newest_first(self, wanted: Wanted) -> Iterator[Entry | Exception]:
        """Its entries that are wanted, and what is damaged in it; FileNotFoundError if it is gone."""


@dataclass(frozen=True, slots=True)
class _InFile:
    block: Block

    @property
    def first(self) -> int:
        return self.block.label.first

    @property
    def size(self) -> int:
        return BLOCK_BYTES

    def newest_first(self, wanted: Wanted) -> Iterator[Entry | Exception]:
        # A line that lacks one of these is none that is wanted; most need not be parsed.
        marks = [blocks.line({name: value})[1:-2] for name, value in wanted.values.items()]
        try:
            lines = self.block.lines()
        except DamagedError as error:
            yield error
            return
        for line in reversed(lines):
            if all(mark in line for mark in marks):
                found: Entry = json.loads(line)
                if wanted.fits(found):
                    yield found


@dataclass(frozen=True, slots=True)
class _InJournal:
    path: Path
    before: int
    """How long the history was before this segment."""
    last: bool
    """Whether it is the one that is being written."""

    @property
    def first(self) -> int:
        return self.before + 1

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def newest_first(self, wanted: Wanted) -> Iterator[Entry | Exception]:
        found = (
            segments.examine_while_written(self.path)
            if self.last
            else segments.examine(self.path, last=False)
        )
        if found.damage:
            yield JournalError(
                f"{self.path} is damaged at offset {found.damage[0].offset}; {segments.what_to_do(self.path)}"
            )
        for transaction in reversed(list(_transactions(found, self.path, self.before))):
            if isinstance(transaction, JournalError):
                yield transaction
            elif transaction.may_have(wanted):
                yield from filter(wanted.fits, transaction.newest_first())


@dataclass(frozen=True, slots=True)
class _Transaction:
    actor: Actor | None
    events: Sequence[formats.Document]
    before: int
    """How long the history was before it."""
    after: int
    payload: bytes

    def newest_first(self) -> Iterator[Entry]:
        recorded = [(self.actor, list(map(codec.decode_event, self.events)))]
        return reversed(list(snapshot.entries(self.before, recorded)))

    def may_have(self, wanted: Wanted) -> bool:
        """Whether it is worth decoding: most transactions are not about what is asked for."""
        if wanted.by is not None and (self.actor is None or self.actor.name != wanted.by):
            return False
        texts = [wanted.job_id, wanted.node_id, None if wanted.event is None else _CLASSES[wanted.event]]
        return all(text.encode() in self.payload for text in texts if text is not None)


def _transactions(
    segment: segments.Segment, path: Path, history: int
) -> Iterator[_Transaction | JournalError]:
    """All of a segment in order; `history`: how long it was before."""
    for offset, payload in segment.records:
        try:
            actor, events = codec.decode_documents(payload, segment.format or formats.FORMAT)
            after = history + len(events)
            if _REWOUND in payload:
                after = snapshot.length_after(history, map(codec.decode_event, events))
        except codec.CodecError as error:
            yield JournalError(f"{path} at offset {offset}: {error}")
        else:
            yield _Transaction(actor, events, history, after, payload)
            history = after


def _length_after(path: Path, history: int) -> int:
    """How long the history is after a closed segment."""
    for transaction in _transactions(segments.examine(path, last=False), path, history):
        if isinstance(transaction, _Transaction):
            history = transaction.after
    return history
