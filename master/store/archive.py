"""The archive: finished jobs that left the memory, as compressed JSON lines, a file for each day (UTC).

`2026-11-24.jsonl.gz` has the jobs that were finished on that day, oldest first; each line is
a document with the `job` and its `result`. It consists of blocks (`master.store.blocks`): a reader
finds the newest one without unpacking the others, and holds one in memory at a time.

A file is only ever replaced as a whole, by a rename: it is never torn. There is one
writer, and readers need no lock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from master.store import blocks, journal
from master.store.blocks import SUFFIX, DamagedError, Member

Entry = dict[str, Any]
"""A `job` and its `result`, as the API has them."""

BLOCK_BYTES = 1024 * 1024
"""Of lines in a block; it ends with the line that reaches this."""
MAX_BLOCKS = 64
"""Blocks that one page is searched for in: then it ends, be it full or not."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


_NEWER: dict[str, Entry] = {
    "job": {
        "input": None,
        "output": None,
        "parent_id": None,
        "part": None,
        "twin_of": None,
        "stage": "encode",
        "depends_on": [],
        "owner": None,
        "request_id": None,
    },
    "result": {"artifacts": [], "repeats": [], "probes": [], "warnings": []},
}
"""What earlier versions did not know, and so did not archive; and what it was for their jobs."""


def complete(entry: Entry) -> Entry:
    """An entry, by whichever version it was archived, with all that entries have today."""
    return {name: {**_NEWER.get(name, {}), **document} for name, document in entry.items()}


class PlaceError(ValueError):
    """There is no such place in the archive."""


class Place(NamedTuple):
    """Where an entry is. It stays there: files only grow at their end."""

    day: date
    offset: int
    """Of its block in the day's file."""
    line: int
    """In its block."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a day, oldest first."""

    day: date
    offset: int
    text: bytes

    def newest_first(self, before: int | None) -> Iterator[tuple[Place, Entry]]:
        """Its entries from the newest on; those before line `before` if it is given."""
        lines = self.text.splitlines()[:before]
        for number in reversed(range(len(lines))):
            yield Place(self.day, self.offset, number), complete(json.loads(lines[number]))


class Archive:
    """The files of one directory."""

    def __init__(self, directory: Path, *, alone: bool = True) -> None:
        """`directory` is made when it is needed first. `alone`: no other master may be writing just now."""
        self._directory = directory
        if alone:
            self.tidy()
        self._empty = True

    def tidy(self) -> None:
        """Remove what a crash left half written; for whoever is the one to write."""
        for unfinished in self._directory.glob(f"*{journal.PART}"):
            unfinished.unlink()

    @property
    def empty(self) -> bool:
        """Whether nothing is archived yet."""
        self._empty = self._empty and not self._days()
        return self._empty

    def add(self, day: date, entries: Iterable[Entry]) -> None:
        """Put `entries` behind those of `day`, durably: all of them or none. OSError if that cannot be."""
        if not self._directory.is_dir():
            self._directory.mkdir(parents=True, mode=0o700)
            journal.sync_directory(self._directory.parent)
        path = self._path(day)
        texts = blocks.texts(map(blocks.line, entries), BLOCK_BYTES)
        journal.replace_file(path, chain(blocks.content(path), map(blocks.pack, texts)))
        self._empty = False

    def entries(self, day: date) -> Iterator[list[Entry]]:
        """All that is archived of `day`, block by block; `DamagedError` if it cannot be read."""
        for block in self._blocks(day, None):
            yield [entry for _, entry in block.newest_first(None)]

    def page(
        self,
        after: Place | None,
        limit: int,
        wanted: Callable[[Entry], bool],
        containing: Sequence[str] = ("",),
    ) -> tuple[list[Entry], Place | None]:
        """Up to `limit` entries behind `after`, and the place to go on from; None where nothing is left.

        The latest day comes first, and of each day what was archived last. A page may be
        short, or empty, before the end: it is sought in a bounded number of blocks.
        `containing`: texts of which every wanted entry has one in it, to pass over blocks quickly.

        `PlaceError` if there is no such place, `DamagedError` if a file cannot be read.
        """
        found: list[Entry] = []
        place, marks = after, [each.encode(errors="replace") for each in containing]
        for looked_at, block in enumerate(self._from(after)):
            if looked_at == MAX_BLOCKS:
                return found, place
            if not any(mark in block.text for mark in marks):
                place = Place(block.day, block.offset, 0)
                continue
            begun = after is not None and (block.day, block.offset) == after[:2]
            for here, entry in block.newest_first(after.line if after is not None and begun else None):
                if len(found) == limit:
                    return found, place
                place = here
                if wanted(entry):
                    found.append(entry)
        return found, None

    def _from(self, after: Place | None) -> Iterator[Block]:
        """Blocks, newest first; the first is the one that `after` is in."""
        for day in self._days():
            if after is None or day < after.day:
                yield from self._blocks(day, None)
            elif day == after.day:
                yield from self._blocks(day, after.offset)

    def _blocks(self, day: date, upto: int | None) -> Iterator[Block]:
        """The blocks of a day, newest first, from the one at offset `upto` on; none if there is no file."""
        path = self._path(day)
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return
        with file:
            members = list(_sound(blocks.members(file, path)))
            if upto is not None:
                if upto not in (member.offset for member in members):
                    raise PlaceError(f"no block of {path} begins at {upto}")
                members = [member for member in members if member.offset <= upto]
            for member in reversed(members):
                yield Block(day, member.offset, blocks.unpack(file, path, member))

    def _days(self) -> list[date]:
        """The days there are, the latest first; files with other names are not ours."""
        days = map(_day_of, self._directory.glob(f"*{SUFFIX}"))
        return sorted((day for day in days if day is not None), reverse=True)

    def _path(self, day: date) -> Path:
        return self._directory / f"{day.isoformat()}{SUFFIX}"


def _day_of(path: Path) -> date | None:
    name = path.name.removesuffix(SUFFIX)
    try:
        return date.fromisoformat(name) if _DAY.fullmatch(name) else None
    except ValueError:
        return None


def _sound(members: Iterable[Member | DamagedError]) -> Iterator[Member]:
    for member in members:
        if isinstance(member, DamagedError):
            raise member
        yield member
