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
from itertools import chain, takewhile
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


@dataclass(frozen=True, slots=True)
class Onward:
    """What follows a place in the trail, oldest first."""

    entries: Sequence[Entry]
    reached: int
    """All that is wanted up to this number is in `entries`, or lost."""
    lost: int | None
    """Of the events up to this number not all can be read any more; None: nothing is lost."""


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

    def after(self, seq: int, upto: int, limit: int, wanted: Wanted) -> Onward:
        """Up to `limit` entries with numbers above `seq`, and up to `upto`. It may be short before the end.

        What is lost is told before any entry behind it. `JournalError` as above.
        """
        journal = self._numbered()
        files = self._files_after(seq)
        pieces: list[_Piece] = [*files, *journal]
        ends = [each.block.label.last for each in files]
        ends += [following.first - 1 for following in journal[1:]] + [upto] * bool(journal)
        reading = _Reading(seq, upto, limit, wanted)
        for piece, end in zip(pieces, ends, strict=True):
            if end > reading.place and piece.first <= upto and not reading.take(piece, end):
                break
        return Onward(reading.found, reading.place, reading.lost)

    def remove_before(self, moment: datetime) -> int:
        """Remove the files that nothing was added to since `moment`, but the newest; how many there were."""
        return self.files.remove_before(moment)

    def _files_after(self, seq: int) -> list[_InFile]:
        """The blocks with numbers above `seq`, oldest first."""
        newer = takewhile(
            lambda block: isinstance(block, DamagedError) or block.label.last > seq, self.files.newest_first()
        )
        return [_InFile(block) for block in reversed(list(newer)) if not isinstance(block, DamagedError)]

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

    def oldest_first(self, after: int, wanted: Wanted) -> Iterator[Entry | Exception]:
        """The same in the other order; what has numbers up to `after` may be left out."""


class _Reading:
    """What was read of the trail behind a place."""

    def __init__(self, seq: int, upto: int, limit: int, wanted: Wanted) -> None:
        self.found: list[Entry] = []
        self.place = self._began = seq
        self.lost: int | None = None
        self._upto = upto
        self._limit = limit
        self._wanted = wanted
        self._looked_at = 0

    def take(self, piece: _Piece, end: int) -> bool:
        """Read the next piece, which goes up to number `end`; whether to go on behind it.

        What is lost behind entries is told first the next time.
        """
        if self._looked_at >= MAX_BYTES:
            return False
        if piece.first > self.place + 1:
            if self.place > self._began:
                return False
            self.lost = self.place = piece.first - 1
        end = min(end, self._upto)
        try:
            self._looked_at += piece.size
            whole = all(self._take(each, end) for each in piece.oldest_first(self.place, self._wanted))
        except FileNotFoundError:
            return False  # folded just now: it is in the files the next time
        if whole:
            self.place = max(self.place, end)
        return whole

    def _take(self, each: Entry | Exception, end: int) -> bool:
        if isinstance(each, Exception):
            if self.place > self._began:
                return False
            self.lost = end
        elif self.place < each["seq"] <= self._upto:
            if len(self.found) == self._limit:
                return False
            self.place = each["seq"]
            self.found.append(each)
        return True


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
        return self._found(wanted, -1)

    def oldest_first(self, after: int, wanted: Wanted) -> Iterator[Entry | Exception]:
        return (each for each in self._found(wanted, 1) if isinstance(each, Exception) or each["seq"] > after)

    def _found(self, wanted: Wanted, step: int) -> Iterator[Entry | Exception]:
        # A line that lacks one of these is none that is wanted; most need not be parsed.
        marks = [blocks.line({name: value})[1:-2] for name, value in wanted.values.items()]
        try:
            lines = self.block.lines()
        except DamagedError as error:
            yield error
            return
        for line in lines[::step]:
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
        damage, transactions = self._read()
        yield from damage
        for transaction in reversed(list(transactions)):
            if isinstance(transaction, JournalError):
                yield transaction
            elif transaction.may_have(wanted):
                yield from reversed(list(filter(wanted.fits, transaction.oldest_first())))

    def oldest_first(self, after: int, wanted: Wanted) -> Iterator[Entry | Exception]:
        damage, transactions = self._read()
        yield from damage
        for transaction in transactions:
            if isinstance(transaction, JournalError):
                yield transaction
            elif transaction.after > after and transaction.may_have(wanted):
                yield from filter(wanted.fits, transaction.oldest_first())

    def _read(self) -> tuple[list[JournalError], Iterator[_Transaction | JournalError]]:
        """What is damaged, and all else in order."""
        found = (
            segments.examine_while_written(self.path)
            if self.last
            else segments.examine(self.path, last=False)
        )
        damage = [
            JournalError(f"{self.path} is damaged at offset {hole.offset}; {segments.what_to_do(self.path)}")
            for hole in found.damage[:1]
        ]
        return damage, _transactions(found, self.path, self.before)


@dataclass(frozen=True, slots=True)
class _Transaction:
    actor: Actor | None
    events: Sequence[formats.Document]
    before: int
    """How long the history was before it."""
    after: int
    payload: bytes

    def oldest_first(self) -> Iterator[Entry]:
        return snapshot.entries(self.before, [(self.actor, list(map(codec.decode_event, self.events)))])

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
