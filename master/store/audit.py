"""The audit's files: one line for each event of the history that a snapshot covers.

`0000000000000001.jsonl.gz` begins with event number 1. A file consists of blocks (`master.store.blocks`),
whose labels say which events and times are in them: a reader unpacks only what it needs. A file
is only ever replaced as a whole, by a longer one; when it is long enough, the next one begins.

The fold writes here what it is about to put into a snapshot, before the snapshot is replaced. A fold
that died in between does it again, and what is here already is left out.
"""

from __future__ import annotations

import json
import logging
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from common.timestamps import parse_timestamp
from master.lifecycle.audit import Entry
from master.store import blocks, journal
from master.store.blocks import SUFFIX, DamagedError, Member

log = logging.getLogger(__name__)

BLOCK_BYTES = 256 * 1024
"""Of lines in a block: about a thousand events."""
FILE_BYTES = 4 * 1024 * 1024
"""Of a file, compressed, behind which the next one begins: a fold writes at most so much anew."""
_NAME = re.compile(r"\d{16}", re.ASCII)
_LABEL = struct.Struct("<QQqq")
_CHECKED = struct.Struct("<L")
_LABEL_BYTES = _LABEL.size + _CHECKED.size


class Label(NamedTuple):
    """What is in a block: the numbers of its events, and their times in Unix seconds."""

    first: int
    last: int
    earliest: int
    latest: int


@dataclass(frozen=True, slots=True)
class Block:
    """Some entries, oldest first, that were not unpacked yet."""

    label: Label
    path: Path
    member: Member

    def lines(self) -> list[bytes]:
        """The entries as JSON; `DamagedError` if they cannot be read."""
        with self.path.open("rb") as file:
            return blocks.unpack(file, self.path, self.member).splitlines()


class AuditFiles:
    """The files of one directory. There is one writer, and readers need no lock."""

    def __init__(self, directory: Path) -> None:
        """`directory` is made when it is needed first."""
        self._directory = directory

    def append(self, entries: Iterable[Entry]) -> None:
        """Put those of `entries` behind what is there that are newer, durably. OSError if that cannot be.

        What is damaged is left alone: then a new file begins.
        """
        self._prepare()
        last = self.last()
        fresh = (each for each in entries if each["seq"] > last)
        first = next(fresh, None)
        if first is None:
            return
        path = self._directory / f"{first['seq']:016d}{SUFFIX}"
        newest = self._paths()[-1:]
        if newest and newest[0].stat().st_size < FILE_BYTES and _is_sound(newest[0]):
            path = newest[0]
        texts = blocks.texts(map(blocks.line, chain([first], fresh)), BLOCK_BYTES)
        journal.replace_file(path, chain(blocks.content(path), map(_pack, texts)))

    def last(self) -> int:
        """The number of the newest event that can be read here; 0 if there is none."""
        readable = (each for each in self.newest_first() if isinstance(each, Block))
        return next((block.label.last for block in readable), 0)

    def newest_first(self) -> Iterator[Block | DamagedError]:
        """All blocks from the newest on, and what is damaged between them."""
        for path in reversed(self._paths()):
            yield from reversed(list(_blocks(path)))

    def remove_before(self, moment: datetime) -> int:
        """Remove the files that nothing was added to since `moment`, but the newest; how many there were."""
        old = [path for path in self._paths()[:-1] if path.stat().st_mtime < moment.timestamp()]
        for path in old:
            path.unlink()
        if old:
            journal.sync_directory(self._directory)
        return len(old)

    def _prepare(self) -> None:
        if not self._directory.is_dir():
            self._directory.mkdir(mode=0o700)
            journal.sync_directory(self._directory.parent)
        for unfinished in self._directory.glob(f"*{journal.PART}"):
            unfinished.unlink()  # a fold was killed

    def _paths(self) -> list[Path]:
        """The oldest first; files with other names are not ours."""
        found = self._directory.glob(f"*{SUFFIX}")
        return sorted(path for path in found if _NAME.fullmatch(path.name.removesuffix(SUFFIX)))


def _blocks(path: Path) -> Iterator[Block | DamagedError]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return  # it was too old
    with file:
        for member in blocks.members(file, path, _LABEL_BYTES):
            if isinstance(member, DamagedError):
                yield member
                continue
            label, (check,) = member.label[: _LABEL.size], _CHECKED.unpack_from(member.label, _LABEL.size)
            if zlib.crc32(label) == check:
                yield Block(Label(*_LABEL.unpack(label)), path, member)
            else:
                yield DamagedError(path, member.offset)


def _is_sound(path: Path) -> bool:
    """Whether the newest file can be made longer: what is damaged in it would be copied."""
    for block in _blocks(path):
        if isinstance(block, DamagedError):
            log.error("%s; the audit goes on in another file", block)
            return False
    return True


def _pack(text: bytes) -> bytes:
    entries = [json.loads(line) for line in text.splitlines()]
    times = [int(parse_timestamp(entry["at"]).timestamp()) for entry in entries]
    label = _LABEL.pack(entries[0]["seq"], entries[-1]["seq"], min(times), max(times))
    return blocks.pack(text, label + _CHECKED.pack(zlib.crc32(label)))
