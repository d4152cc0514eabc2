"""The archive: finished jobs that left the memory, as compressed JSON lines, a file for each day (UTC).

`2026-11-24.jsonl.gz` has the jobs that were finished on that day, oldest first; each line is
a document with the `job` and its `result`. A file is a series of gzip members, so that any gzip
reads it. Each member is a block of lines, and its header says how long it is: a reader
finds the newest block without unpacking the others, and holds one block in memory at a time.

A file is only ever replaced as a whole, by a rename: it is never torn. There is one
writer, and readers need no lock.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from master.store import journal

Entry = dict[str, Any]
"""A `job` and its `result`, as the API has them."""

BLOCK_BYTES = 1024 * 1024
"""Of lines in a block; it ends with the line that reaches this."""
MAX_BLOCKS = 64
"""Blocks that one page is searched for in: then it ends, be it full or not."""
_READ_BYTES = 1024 * 1024
_SUFFIX = ".jsonl.gz"
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

# RFC 1952: a gzip header without time and system, and with an extra field `FR` of four bytes …
_HEADER = b"\x1f\x8b\x08\x04" + bytes(5) + b"\xff" + b"\x08\x00" + b"FR" + b"\x04\x00"
_SIZE = struct.Struct("<L")  # … which are the length of the whole member
_TRAILER = struct.Struct("<LL")
_FRAME_BYTES = len(_HEADER) + _SIZE.size + _TRAILER.size


class ArchiveError(Exception):
    """A file of the archive is damaged, or not of our making."""


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
            yield Place(self.day, self.offset, number), json.loads(lines[number])


class Archive:
    """The files of one directory."""

    def __init__(self, directory: Path) -> None:
        """`directory` is made when it is needed first; what a crash left half written in it is removed."""
        self._directory = directory
        for unfinished in directory.glob(f"*{journal.PART}"):
            unfinished.unlink()
        self.empty = not self._days()
        """Whether nothing is archived yet."""

    def add(self, day: date, entries: Iterable[Entry]) -> None:
        """Put `entries` behind those of `day`, durably: all of them or none. OSError if that cannot be."""
        if not self._directory.is_dir():
            self._directory.mkdir(parents=True, mode=0o700)
            journal.sync_directory(self._directory.parent)
        path = self._path(day)
        journal.replace_file(path, chain(_content(path), map(_packed, _texts(entries))))
        self.empty = False

    def entries(self, day: date) -> Iterator[list[Entry]]:
        """All that is archived of `day`, block by block; `ArchiveError` if it cannot be read."""
        for block in self._blocks(day, None):
            yield [entry for _, entry in block.newest_first(None)]

    def page(
        self,
        after: Place | None,
        limit: int,
        wanted: Callable[[Entry], bool],
        containing: str = "",
    ) -> tuple[list[Entry], Place | None]:
        """Up to `limit` entries behind `after`, and the place to go on from; None where nothing is left.

        The latest day comes first, and of each day what was archived last. A page may be
        short, or empty, before the end: it is sought in a bounded number of blocks.
        `containing`: a text that every wanted entry has in it, to pass over blocks quickly.

        `PlaceError` if there is no such place, `ArchiveError` if a file cannot be read.
        """
        found: list[Entry] = []
        place, mark = after, containing.encode(errors="replace")
        for looked_at, block in enumerate(self._from(after)):
            if looked_at == MAX_BLOCKS:
                return found, place
            if mark not in block.text:
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
            members = _members(file, path)
            if upto is not None:
                if upto not in members:
                    raise PlaceError(f"no block of {path} begins at {upto}")
                members = {offset: size for offset, size in members.items() if offset <= upto}
            for offset, size in reversed(members.items()):
                try:
                    text = gzip.decompress(os.pread(file.fileno(), size, offset))
                except (OSError, EOFError, zlib.error) as error:
                    raise _damaged(path, offset) from error
                yield Block(day, offset, text)

    def _days(self) -> list[date]:
        """The days there are, the latest first; files with other names are not ours."""
        days = map(_day_of, self._directory.glob(f"*{_SUFFIX}"))
        return sorted((day for day in days if day is not None), reverse=True)

    def _path(self, day: date) -> Path:
        return self._directory / f"{day.isoformat()}{_SUFFIX}"


def _day_of(path: Path) -> date | None:
    name = path.name.removesuffix(_SUFFIX)
    try:
        return date.fromisoformat(name) if _DAY.fullmatch(name) else None
    except ValueError:
        return None


def _content(path: Path) -> Iterator[bytes]:
    if path.exists():
        with path.open("rb") as file:
            yield from iter(lambda: file.read(_READ_BYTES), b"")


def _texts(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The lines of `entries`, in pieces that make a block each."""
    text = bytearray()
    for entry in entries:
        text += json.dumps(entry, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        if len(text) >= BLOCK_BYTES:
            yield bytes(text)
            text.clear()
    if text:
        yield bytes(text)


def _packed(text: bytes) -> bytes:
    """A gzip member that says how long it is."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = packer.compress(text) + packer.flush()
    trailer = _TRAILER.pack(zlib.crc32(text), len(text))
    return _HEADER + _SIZE.pack(_FRAME_BYTES + len(body)) + body + trailer


def _members(file: BinaryIO, path: Path) -> dict[int, int]:
    """The offsets of the file's members, in order, and their sizes."""
    found: dict[int, int] = {}
    offset, end = 0, os.fstat(file.fileno()).st_size
    while offset < end:
        head = os.pread(file.fileno(), _FRAME_BYTES, offset)
        if len(head) < _FRAME_BYTES or not head.startswith(_HEADER):
            raise _damaged(path, offset)
        (size,) = _SIZE.unpack_from(head, len(_HEADER))
        if size < _FRAME_BYTES or offset + size > end:
            raise _damaged(path, offset)
        found[offset] = size
        offset += size
    return found


def _damaged(path: Path, offset: int) -> ArchiveError:
    return ArchiveError(
        f"{path} is damaged at offset {offset}, or was not written by the master; "
        "restore it from a backup, or move it elsewhere"
    )
