"""Blocks: files of JSON lines, compressed piece by piece.

A file is a series of gzip members, so that any gzip reads it. Each member is a block of
lines, oldest first. Its header says how long it is, and may have a label: so a reader finds the
block that it needs without unpacking the others.
"""

from __future__ import annotations

import gzip
import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

SUFFIX = ".jsonl.gz"
"""Ends the names of such files."""
_READ_BYTES = 1024 * 1024

# RFC 1952: a gzip header without time and system, and with extra fields of this length in all: …
_HEADER = b"\x1f\x8b\x08\x04" + bytes(5) + b"\xff"
_EXTRA = struct.Struct("<H")
_FIELD = struct.Struct("<2sH")
_SIZE = struct.Struct("<L")  # … `FR`, the length of the whole member, and `LB`, the label if there is one
_TRAILER = struct.Struct("<LL")


class DamagedError(Exception):
    """A file is damaged, or not of our making; the text names it."""

    def __init__(self, path: Path, offset: int) -> None:
        super().__init__(
            f"{path} is damaged at offset {offset}, or was not written by the master; "
            "restore it from a backup, or move it elsewhere"
        )
        self.path = path
        self.offset = offset


class Member(NamedTuple):
    """Where a block lies in its file."""

    offset: int
    size: int
    label: bytes


def line(document: Mapping[str, Any]) -> bytes:
    """A document as it stands in a block."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def pack(text: bytes, label: bytes = b"") -> bytes:
    """A block."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = packer.compress(text) + packer.flush()
    labelled = _FIELD.pack(b"LB", len(label)) + label if label else b""
    extra = _FIELD.size + _SIZE.size + len(labelled)
    size = len(_HEADER) + _EXTRA.size + extra + len(body) + _TRAILER.size
    head = _HEADER + _EXTRA.pack(extra) + _FIELD.pack(b"FR", _SIZE.size) + _SIZE.pack(size) + labelled
    return head + body + _TRAILER.pack(zlib.crc32(text), len(text))


def unpack(file: BinaryIO, path: Path, member: Member) -> bytes:
    """The lines of a block; `DamagedError` if they cannot be read."""
    try:
        return gzip.decompress(os.pread(file.fileno(), member.size, member.offset))
    except (OSError, EOFError, zlib.error) as error:
        raise DamagedError(path, member.offset) from error


def members(file: BinaryIO, path: Path, label_bytes: int = 0) -> Iterator[Member | DamagedError]:
    """All blocks of a file, in order, whose labels have this length; and what is damaged between them."""
    offset, end = 0, os.fstat(file.fileno()).st_size
    while offset < end:
        found = _member_at(file, offset, end, label_bytes)
        yield found or DamagedError(path, offset)
        offset = found.offset + found.size if found else _next_header(file, offset + 1, end)


def content(path: Path) -> Iterator[bytes]:
    """A file's bytes, in pieces; none if there is no such file."""
    if path.exists():
        with path.open("rb") as file:
            yield from iter(lambda: file.read(_READ_BYTES), b"")


def texts(lines: Iterable[bytes], most: int) -> Iterator[bytes]:
    """`lines` in pieces that make a block each; one ends with the line that reaches `most` bytes."""
    text = bytearray()
    for each in lines:
        text += each
        if len(text) >= most:
            yield bytes(text)
            text.clear()
    if text:
        yield bytes(text)


def _member_at(file: BinaryIO, offset: int, end: int, label_bytes: int) -> Member | None:
    labelled = _FIELD.size + label_bytes if label_bytes else 0
    extra = _FIELD.size + _SIZE.size + labelled
    start = _HEADER + _EXTRA.pack(extra) + _FIELD.pack(b"FR", _SIZE.size)
    head = os.pread(file.fileno(), len(start) + _SIZE.size + labelled, offset)
    if len(head) < len(start) + _SIZE.size + labelled or not head.startswith(start):
        return None
    (size,) = _SIZE.unpack_from(head, len(start))
    if size < len(head) + _TRAILER.size or offset + size > end:
        return None
    return Member(offset, size, head[len(head) - label_bytes :])


def _next_header(file: BinaryIO, offset: int, end: int) -> int:
    """Where the next block seems to begin; `end` if there is none."""
    found = os.pread(file.fileno(), end - offset, offset).find(_HEADER)
    return end if found < 0 else offset + found
