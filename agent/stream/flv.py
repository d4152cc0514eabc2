"""FLV, the form in which a stream passes through the agent: one tag is one picture or piece of sound. Pure.

The payload of a tag is the payload of an RTMP message, so nothing is changed on the way. Written
after Adobe's "FLV and F4V File Format Specification" 10.1, annex E, and Veovera's "Enhanced RTMP" v1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

AUDIO, VIDEO, SCRIPT = 8, 9, 18
"""Kinds of tags, which are also the types of RTMP messages."""
FILE_HEADER = b"FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00"
MAX_TAG = 16 * 1024 * 1024 - 1
"""Bytes of a payload: its length has 24 bits."""
_HEAD, _TAIL = 11, 4
_AVC, _HEVC, _AAC, _EXTENDED_AUDIO = 7, 12, 10, 9
_CODECS = {b"avc1": "h264", b"hvc1": "h265", b"av01": "av1", b"vp09": "vp9"}
_NO_PICTURE = (2, 4)
"""Packet types of an enhanced tag that carry no picture: the end of a sequence, metadata."""


class FlvError(ValueError):
    """These bytes are no FLV."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag."""

    kind: int
    timestamp: int
    """Milliseconds of the stream's own time, when it is to be decoded."""
    payload: bytes

    @property
    def is_header(self) -> bool:
        """Whether it is what a decoder must have before all others: metadata, or a codec's set-up."""
        if self.kind == SCRIPT:
            return True
        if len(self.payload) < 2:
            return False
        first, second = self.payload[0], self.payload[1]
        if self.kind == VIDEO:
            return first & 0x0F == 0 if first & 0x80 else first & 0x0F in (_AVC, _HEVC) and second == 0
        if first >> 4 == _EXTENDED_AUDIO:
            return first & 0x0F == 0
        return first >> 4 == _AAC and second == 0

    @property
    def is_picture(self) -> bool:
        """Whether it is one coded picture."""
        if self.kind != VIDEO or len(self.payload) < 2 or self.is_header:
            return False
        first = self.payload[0]
        if first & 0x80:
            return first & 0x0F not in _NO_PICTURE
        return first & 0x0F not in (_AVC, _HEVC) or self.payload[1] == 1

    @property
    def is_key(self) -> bool:
        """Whether it is a picture that a decoder can begin with."""
        return self.is_picture and self.payload[0] >> 4 & 0x07 == 1

    @property
    def codec(self) -> str | None:
        """The codec of a video tag, in our words; None: none that we know."""
        if self.kind != VIDEO or not self.payload:
            return None
        if self.payload[0] & 0x80:
            return _CODECS.get(self.payload[1:5])
        return {_AVC: "h264", _HEVC: "h265"}.get(self.payload[0] & 0x0F)

    def at(self, timestamp: int) -> Tag:
        """The same at another time."""
        return Tag(self.kind, timestamp, self.payload)

    def encode(self) -> bytes:
        """The tag as it is in a file, with the length that follows it."""
        size, time = len(self.payload), self.timestamp & 0xFFFFFFFF
        head = bytes((self.kind,)) + size.to_bytes(3, "big") + (time & 0xFFFFFF).to_bytes(3, "big")
        head += bytes((time >> 24, 0, 0, 0))
        return head + self.payload + (size + _HEAD).to_bytes(4, "big")


class FlvParser:
    """Takes the bytes as they come and gives the tags that are whole."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._begun = False

    def feed(self, data: bytes) -> Iterator[Tag]:
        """The tags that `data` completes; FlvError if these are none."""
        self._rest += data
        place = 0
        if not self._begun:
            if len(self._rest) < len(FILE_HEADER):
                return
            if self._rest[:3] != b"FLV":
                raise FlvError("it does not begin as FLV does")
            self._begun, place = True, len(FILE_HEADER)
        try:
            while len(self._rest) - place >= _HEAD:
                size = int.from_bytes(self._rest[place + 1 : place + 4], "big")
                if len(self._rest) - place < _HEAD + size + _TAIL:
                    return
                yield self._tag(place, size)
                place += _HEAD + size + _TAIL
        finally:
            del self._rest[:place]

    def _tag(self, place: int, size: int) -> Tag:
        head = self._rest[place : place + _HEAD]
        kind = head[0] & 0x1F
        if kind not in (AUDIO, VIDEO, SCRIPT) or head[0] & 0x20:
            raise FlvError(f"there is a tag of kind {head[0]}")
        timestamp = int.from_bytes(head[4:7], "big") | head[7] << 24
        return Tag(kind, timestamp, bytes(self._rest[place + _HEAD : place + _HEAD + size]))
