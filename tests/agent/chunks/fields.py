"""A stream of H.264 whose fields are pictures of their own (PAFF), which no encoder at hand makes.

All macroblocks are I_PCM, so nothing is coded but headers (ITU-T H.264, 7.3).
"""

from __future__ import annotations

from pathlib import Path

_WIDE = 2
"""Macroblocks; a field is one high, so a frame has 32x32 pixels."""
_IDR_EVERY = 10


class _Bits:
    def __init__(self) -> None:
        self._bits: list[int] = []

    def put(self, value: int, count: int) -> _Bits:
        self._bits += [value >> n & 1 for n in reversed(range(count))]
        return self

    def ue(self, *values: int) -> _Bits:
        for value in values:
            length = (value + 1).bit_length()
            self.put(value + 1, 2 * length - 1)
        return self

    def align(self) -> _Bits:
        return self.put(0, -len(self._bits) % 8)

    def bytes(self) -> bytes:
        """With the bit that ends it."""
        self.put(1, 1).align()
        text = "".join(map(str, self._bits))
        return int(text, 2).to_bytes(len(text) // 8, "big")


def _unit(reference: int, kind: int, bits: _Bits) -> bytes:
    data, zeros = bytearray(), 0
    for byte in bits.bytes():
        if zeros == 2 and byte <= 3:
            data.append(3)
            zeros = 0
        data.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return b"\x00\x00\x00\x01" + bytes([reference << 5 | kind]) + bytes(data)


def _sequence() -> bytes:
    # Main profile, level 3; no B-frames, frames may be fields, no MBAFF.
    bits = _Bits().put(77, 8).put(0, 8).put(30, 8).ue(0, 0, 0, 4, 1).put(0, 1).ue(_WIDE - 1, 0)
    return _unit(3, 7, bits.put(0, 1).put(0, 1).put(1, 1).put(0, 1).put(0, 1))


def _picture() -> bytes:
    bits = _Bits().ue(0, 0).put(0, 2).ue(0, 0, 0).put(0, 1).put(0, 2).ue(0, 0, 0)
    return _unit(3, 8, bits.put(0, 3))


def _field(number: int, *, bottom: bool) -> bytes:
    since = number % _IDR_EVERY
    idr = since == 0 and not bottom
    bits = _Bits().ue(0, 7, 0).put(since % 16, 4).put(1, 1).put(int(bottom), 1)
    if idr:
        bits.ue(number // _IDR_EVERY % 2)
    bits.put(2 * since + int(bottom), 8).put(0, 2 if idr else 1).ue(0)
    for block in range(_WIDE):
        bits.ue(25).align()
        for sample in range(384):
            bits.put(32 + (7 * number + 3 * sample + 50 * block + 20 * int(bottom)) % 190, 8)
    return _unit(3, 5 if idr else 1, bits)


def write(path: Path, frames: int) -> Path:
    """So many frames, each of two fields; a key frame every 10."""
    data = b""
    for number in range(frames):
        if number % _IDR_EVERY == 0:
            data += _sequence() + _picture()
        data += _field(number, bottom=False) + _field(number, bottom=True)
    path.write_bytes(data)
    return path
