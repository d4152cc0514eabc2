"""Frames: how a record lies in a file, so that damage is noticed.

A frame is one line: `<length> <crc> <synced> <payload>\\n`, all three numbers in
eight hexadecimal digits. `length` is the payload's in bytes, `crc` is CRC-32 over
`<synced> <payload>`, and `synced` is the offset in this file up to which the
writer knew the disk to be synced. So recovery can tell a torn tail, which nobody was
told of, from damage to what was acknowledged. An empty payload is a mark: it only
carries `synced`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_HEADER = 27  # three numbers of 8 digits, each with a space behind it
AROUND = _HEADER + 1
"""Bytes of a frame beside its payload."""
# A lookahead: what looks like a header may begin inside of what looks like another.
_LIKE_A_HEADER = re.compile(rb"(?=[0-9a-f]{8} [0-9a-f]{8} [0-9a-f]{8} )")


def frame(payload: bytes, synced: int) -> bytes:
    """One line for the file."""
    body = b"%08x %s" % (synced, payload)
    return b"%08x %08x %s\n" % (len(payload), zlib.crc32(body), body)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that was read back."""

    payload: bytes
    synced: int
    offset: int
    end: int
    """Offset behind it."""


class Hole(NamedTuple):
    """A part of a file that cannot be read."""

    offset: int
    data: bytes


def parse_frame(data: bytes, offset: int) -> Frame | None:
    """The frame at `offset`; None if there is no whole and sound one."""
    head = data[offset : offset + _HEADER]
    try:
        length, crc, synced = (int(part, 16) for part in head.split(b" ", 2))
    except ValueError:
        return None
    end = offset + _HEADER + length + 1
    body = data[offset + 18 : end - 1]
    if len(head) < _HEADER or end > len(data) or data[end - 1] != 0x0A or zlib.crc32(body) != crc:
        return None
    return Frame(data[offset + _HEADER : end - 1], synced, offset, end)


def payload_of(line: bytes) -> bytes | None:
    """The payload of a frame that is this whole line; None if it is not sound."""
    try:
        sound = int(line[:8], 16) == len(line) - _HEADER - 1 and zlib.crc32(line[18:-1]) == int(
            line[9:17], 16
        )
    except ValueError:
        return None
    return line[_HEADER:-1] if sound and line.endswith(b"\n") else None


def sound_frames(data: bytes) -> Iterator[Frame]:
    """All sound frames in order, also those behind damage.

    A damaged frame says nothing that can be trusted, not even where it ends: the next is
    looked for at every offset behind it.
    """
    offset = 0
    while offset < len(data):
        found = parse_frame(data, offset)
        if found is None:
            found = next(_frames_behind(data, offset), None)
        if found is None:
            return
        yield found
        offset = found.end


def holes(data: bytes, frames: Sequence[Frame]) -> list[Hole]:
    """What of `data` is in none of `frames`, which are its sound ones."""
    starts = [0, *(each.end for each in frames)]
    ends = [*(each.offset for each in frames), len(data)]
    return [Hole(start, data[start:end]) for start, end in zip(starts, ends, strict=True) if start < end]


def _frames_behind(data: bytes, offset: int) -> Iterator[Frame]:
    for place in _LIKE_A_HEADER.finditer(data, offset + 1):
        found = parse_frame(data, place.start())
        if found is not None:
            yield found
