"""What the first bytes of a coded picture say, for each codec whose containers do not say it well. Pure.

Everything is read within bounds: what does not make sense is `Sort.OTHER`, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

_MOST = 4096
"""Bytes of a unit that are looked at."""
_MOST_UNITS = 64
_START = re.compile(b"\x00\x00\x01")
_H264_INTRA = (2, 4, 7, 9)
"""Slice types I and SI (ITU-T H.264, table 7-6)."""
_HIGH_PROFILES = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)


class Sort(Enum):
    """What may be decoded from a packet on."""

    CLOSED = "closed"
    """All that comes behind it."""
    OPEN = "open"
    """All that is shown behind it."""
    OTHER = "other"
    """Nothing: it needs others before it."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a packet says of itself."""

    sort: Sort
    pictures: int = 1
    """How many of its pictures are shown."""
    header: bytes = b""
    """What sets its size and format, if that is in it."""
    refused: str | None = None
    """Why a stream that has it cannot be divided."""


class Bits:
    """Reads numbers of some bits each. EOFError behind the end."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "big"), len(data) * 8

    def take(self, count: int) -> int:
        """The next bits, as a number."""
        if count > self._left:
            raise EOFError
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def exp_golomb(self) -> int:
        """ue(v) of ITU-T H.264, 9.1."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise EOFError
        return (1 << zeros) - 1 + self.take(zeros)


Looker = Callable[[bytes, bool], Look]
"""From a packet, and whether the container calls it a key frame, to what it is."""


def looker(codec: str, extradata: bytes) -> Looker:
    """Looks at packets of a stream with that codec (libavcodec's name) and header."""
    if codec == "h264":
        return _H264(extradata).look
    if codec == "hevc":
        return _Hevc(extradata).look
    return {"mpeg2video": _mpeg2, "mpeg4": _mpeg4, "vp8": _vp8, "vp9": _vp9, "av1": _av1}.get(codec, _intra)


def _intra(_: bytes, key: bool) -> Look:
    return Look(Sort.CLOSED if key else Sort.OTHER)


def _units(data: bytes, length: int) -> Iterator[bytes]:
    """The NAL units of a packet or a header; `length`: bytes of the number before each, 0: start codes."""
    if not length:
        starts = [found.end() for found in _START.finditer(data)][:_MOST_UNITS]
        for start, end in zip(starts, [*(s - 3 for s in starts[1:]), len(data)], strict=True):
            yield data[start : min(end, start + _MOST)]
        return
    at = 0
    for _ in range(_MOST_UNITS):
        if at + length > len(data):
            return
        size = int.from_bytes(data[at : at + length], "big")
        at += length
        yield data[at : at + min(size, _MOST)]
        at += size


def _plain(unit: bytes) -> bytes:
    """Without the bytes that keep start codes from being in it."""
    return unit.replace(b"\x00\x00\x03", b"\x00\x00")


class _H264:
    def __init__(self, extradata: bytes) -> None:
        self._length = 0
        self._parameters: tuple[int, bool] | None = None
        """Bits of a frame's number, and whether there may be fields."""
        header = extradata
        if extradata[:1] == b"\x01" and len(extradata) > 6:
            self._length = (extradata[4] & 3) + 1
            size = int.from_bytes(extradata[6:8], "big")
            header = b"\x00\x00\x01" + extradata[8 : 8 + size]
        for unit in _units(header, 0):
            self._learn(unit)

    def _learn(self, unit: bytes) -> None:
        if unit and unit[0] & 31 == 7:
            try:
                self._parameters = _sequence(_plain(unit[1:]))
            except EOFError:
                self._parameters = None

    def look(self, data: bytes, key: bool) -> Look:
        """One frame, or a field of one."""
        sort, header, intra, exact = Sort.OTHER, b"", True, False
        fields: set[bool | None] = set()
        if not key and self._parameters is not None and not self._parameters[1]:
            return Look(sort)
        for unit in _units(data, self._length):
            kind = unit[0] & 31 if unit else 0
            if kind == 7:
                self._learn(unit)
                header += unit.rstrip(b"\x00")
            elif kind == 6:
                exact |= _recovers_at_once(_plain(unit[1:]))
            elif kind in (1, 5):
                sort = Sort.CLOSED if kind == 5 else sort
                intra &= self._slice(_plain(unit[1:64]), fields)
        if sort is Sort.OTHER and key and exact and intra:
            sort = Sort.OPEN
        alone = len(fields) == 1 and None not in fields
        return Look(sort, 1, header, "its fields are coded as pictures of their own" if alone else None)

    def _slice(self, data: bytes, fields: set[bool | None]) -> bool:
        """Whether it is an intra slice; notes which field it is of, or None."""
        try:
            bits = Bits(data)
            bits.exp_golomb()
            intra = bits.exp_golomb() in _H264_INTRA
            bits.exp_golomb()
            if self._parameters is not None and self._parameters[1]:
                bits.take(self._parameters[0])
                fields.add(bool(bits.take(1)) if bits.take(1) else None)
        except EOFError:
            return False
        return intra


def _sequence(data: bytes) -> tuple[int, bool]:
    """Of a sequence parameter set (ITU-T H.264, 7.3.2.1.1): bits of `frame_num`; may fields be."""
    bits = Bits(data)
    profile = bits.take(8)
    bits.take(16)
    bits.exp_golomb()
    if profile in _HIGH_PROFILES:
        chroma = bits.exp_golomb()
        if chroma == 3:
            bits.take(1)
        bits.exp_golomb(), bits.exp_golomb(), bits.take(1)
        if bits.take(1):  # scaling matrices: nothing that we have met has them
            raise EOFError
    number = bits.exp_golomb() + 4
    order = bits.exp_golomb()
    if order == 0:
        bits.exp_golomb()
    elif order == 1:
        bits.take(1), bits.exp_golomb(), bits.exp_golomb()
        for _ in range(min(bits.exp_golomb(), 255)):
            bits.exp_golomb()
    bits.exp_golomb(), bits.take(1), bits.exp_golomb(), bits.exp_golomb()
    return number, not bits.take(1)


def _recovers_at_once(data: bytes) -> bool:
    """Whether there is a recovery point (SEI 6) with nothing to wait for."""
    at = 0
    for _ in range(_MOST_UNITS):
        kind = size = 0
        while at < len(data) and data[at] == 255:
            kind, at = kind + 255, at + 1
        if at + 1 >= len(data):
            return False
        kind, at = kind + data[at], at + 1
        while at < len(data) and data[at] == 255:
            size, at = size + 255, at + 1
        if at >= len(data):
            return False
        size, at = size + data[at], at + 1
        if kind == 6 and at < len(data):
            return bool(data[at] & 0x80)
        at += size
    return False


class _Hevc:
    def __init__(self, extradata: bytes) -> None:
        self._length = (extradata[21] & 3) + 1 if extradata[:1] == b"\x01" and len(extradata) > 22 else 0

    def look(self, data: bytes, key: bool) -> Look:
        """One picture (ITU-T H.265, table 7-1)."""
        if not key:
            return Look(Sort.OTHER)
        sort, header, refused = Sort.OTHER, b"", None
        for unit in _units(data, self._length):
            kind = unit[0] >> 1 & 63 if unit else 0
            if kind == 33:
                header += unit.rstrip(b"\x00")
            elif kind in (19, 20):
                sort = Sort.CLOSED
            elif kind == 21:
                sort = Sort.OPEN
            elif 16 <= kind <= 18:
                refused = "it was spliced: pictures at the seams are never shown"
        return Look(sort, 1, header, refused)


def _mpeg2(data: bytes, key: bool) -> Look:
    """ISO/IEC 13818-2: a group says whether it is closed."""
    if not key:
        return Look(Sort.OTHER)
    sequence, group = data.find(b"\x00\x00\x01\xb3"), data.find(b"\x00\x00\x01\xb8")
    closed = 0 <= group < len(data) - 7 and bool(data[group + 7] & 0x40)
    header = data[sequence + 4 : sequence + 8] if sequence >= 0 else b""
    return Look(Sort.CLOSED if closed else Sort.OPEN, 1, header)


def _mpeg4(data: bytes, key: bool) -> Look:
    if re.search(rb"DivX\d+(Build|b)\d+p", data[:512]):
        return Look(Sort.OTHER, refused="its packets hold two pictures each")
    if len(data) < 8:
        return Look(Sort.OTHER, refused="some of its pictures are not coded")
    return Look(Sort.OPEN if key else Sort.OTHER)


def _vp8(data: bytes, key: bool) -> Look:
    """RFC 6386, 9.1."""
    header = data[6:10] if key else b""
    return Look(Sort.CLOSED if key else Sort.OTHER, data[0] >> 4 & 1 if data else 0, header)


def _vp9(data: bytes, key: bool) -> Look:
    """VP9 bitstream specification, 6.2 and annex B: hidden pictures are packed with one that is shown."""
    frames = list(_superframe(data))
    shown = sum(_vp9_shows(frame) for frame in frames)
    header = b""
    if key and frames:
        header = frames[0][4:8]  # colours, width and most of the height
    refused = "its packets hold several pictures that are shown" if shown > 1 else None
    return Look(Sort.CLOSED if key else Sort.OTHER, shown, header, refused)


def _superframe(data: bytes) -> Iterator[bytes]:
    marker = data[-1] if data else 0
    count, width = (marker & 7) + 1, (marker >> 3 & 3) + 1
    index = 2 + count * width
    if marker & 0xE0 != 0xC0 or len(data) < index or data[-index] != marker:
        yield data
        return
    at = 0
    for number in range(count):
        begin = len(data) - index + 1 + number * width
        size = int.from_bytes(data[begin : begin + width], "little")
        if size:
            yield data[at : at + min(size, 16)]
        at += size


def _vp9_shows(frame: bytes) -> bool:
    try:
        bits = Bits(frame[:2])
        bits.take(2)
        if bits.take(1) + 2 * bits.take(1) == 3:
            bits.take(1)
        if bits.take(1):  # an earlier one
            return True
        bits.take(1)
        return bool(bits.take(1))
    except EOFError:
        return False


def _av1(data: bytes, key: bool) -> Look:
    """AV1 bitstream specification, 5.3: of a key frame's units the one that heads a sequence."""
    if not key:
        return Look(Sort.OTHER)
    at = 0
    for _ in range(_MOST_UNITS):
        if at >= len(data) or not data[at] & 2:
            break
        kind, begin = data[at] >> 3 & 15, at + (2 if data[at] & 4 else 1)
        size = shift = 0
        while begin < len(data):
            size |= (data[begin] & 127) << shift
            shift, begin = shift + 7, begin + 1
            if not data[begin - 1] & 128 or shift > 56:
                break
        if kind == 1:
            return Look(Sort.CLOSED, 1, data[begin : begin + min(size, 64)])
        at = begin + size
    return Look(Sort.CLOSED)
