"""AMF0, in which RTMP's commands are written. Pure.

After Adobe's "Action Message Format - AMF 0". What comes from a server is read within bounds.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

_MOST_VALUES = 256
_MOST_DEPTH = 8
_NOTHING = {0x05: 0, 0x06: 0, 0x0B: 10, 0x0D: 0}
"""Types that are None to us (null, undefined, dates), and how many bytes each has."""
_END = b"\x00\x00\x09"


class AmfError(ValueError):
    """These bytes are no AMF0, or more than anybody needs."""


def encode(*values: Any) -> bytes:
    """The values one after the other: numbers, texts, truths, None, lists, and objects of these."""
    return b"".join(map(_encode, values))


def _encode(value: Any) -> bytes:
    if value is None:
        return b"\x05"
    if isinstance(value, bool):
        return b"\x01" + bytes((value,))
    if isinstance(value, int | float):
        return b"\x00" + struct.pack(">d", value)
    if isinstance(value, str):
        text = value.encode()
        if len(text) > 0xFFFF:
            return b"\x0c" + struct.pack(">I", len(text)) + text
        return b"\x02" + struct.pack(">H", len(text)) + text
    if isinstance(value, Mapping):
        pairs = (
            struct.pack(">H", len(key.encode())) + key.encode() + _encode(each) for key, each in value.items()
        )
        return b"\x03" + b"".join(pairs) + _END
    if isinstance(value, list):
        return b"\x0a" + struct.pack(">I", len(value)) + encode(*value)
    raise TypeError(f"AMF0 has no {type(value).__name__} here")


def decode(data: bytes) -> list[Any]:
    """All values in `data`; AmfError if it is damaged. Dates and the like are None."""
    reader = _Reader(data)
    values = []
    while not reader.at_end:
        values.append(reader.value(0))
    return values


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._place, self._values = data, 0, 0

    @property
    def at_end(self) -> bool:
        return self._place >= len(self._data)

    def value(self, depth: int) -> Any:
        self._values += 1
        if self._values > _MOST_VALUES or depth > _MOST_DEPTH:
            raise AmfError("a command has too many values")
        match self._take(1)[0]:
            case 0x00:
                return struct.unpack(">d", self._take(8))[0]
            case 0x01:
                return self._take(1) != b"\0"
            case 0x02:
                return self._text(2)
            case 0x0C:
                return self._text(4)
            case 0x03 | 0x08 as marker:
                self._take(4 if marker == 0x08 else 0)
                return self._pairs(depth)
            case 0x0A:
                count = int.from_bytes(self._take(4), "big")
                return [self.value(depth + 1) for _ in range(min(count, _MOST_VALUES + 1))]
            case marker if marker in _NOTHING:
                self._take(_NOTHING[marker])
                return None
            case marker:
                raise AmfError(f"a command has a value of the unknown type {marker}")

    def _pairs(self, depth: int) -> dict[str, Any]:
        found = {}
        while self._data[self._place : self._place + 3] != _END:
            name = self._text(2)
            found[name] = self.value(depth + 1)
        self._place += len(_END)
        return found

    def _text(self, width: int) -> str:
        return self._take(int.from_bytes(self._take(width), "big")).decode("utf-8", "replace")

    def _take(self, count: int) -> bytes:
        taken = self._data[self._place : self._place + count]
        if len(taken) < count:
            raise AmfError("a command is cut off")
        self._place += count
        return taken
