"""RTMP's chunks: messages cut in pieces, many streams of them on one connection. Pure.

After Adobe's "Real Time Messaging Protocol" 1.0, section 5. What comes from a server is read within bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

OUT_CHUNK = 60_000
"""Bytes of a chunk that we send: few pieces. The server is told (SET_CHUNK_SIZE)."""
SET_CHUNK_SIZE, ABORT, ACK, CONTROL, WINDOW, PEER_BANDWIDTH = 1, 2, 3, 4, 5, 6
DATA, COMMAND, DATA_3, COMMAND_3, AGGREGATE = 18, 20, 15, 17, 22
"""Types of messages beside audio (8) and video (9)."""
MAX_MESSAGE = 8 * 1024 * 1024
"""Bytes: one picture at the highest bitrates is smaller."""
_MOST_STREAMS = 64
_EXTENDED = 0xFFFFFF
_IN_CHUNK = 128
"""Bytes of a chunk until the sender says otherwise."""


class ChunkError(ValueError):
    """The server does not speak RTMP, or sends more than anybody needs."""


@dataclass(frozen=True, slots=True)
class Message:
    """One RTMP message."""

    type: int
    stream: int
    """The message stream: 0 for the connection itself."""
    timestamp: int
    """Milliseconds."""
    payload: bytes


def encode(message: Message, chunk_stream: int, size: int = OUT_CHUNK) -> bytes:
    """The message as chunks of at most `size` bytes on the `chunk_stream` (2 to 63)."""
    time = message.timestamp & 0xFFFFFFFF
    extended = time.to_bytes(4, "big") if time >= _EXTENDED else b""
    head = bytes((chunk_stream,)) + min(time, _EXTENDED).to_bytes(3, "big")
    head += len(message.payload).to_bytes(3, "big") + bytes((message.type,))
    head += message.stream.to_bytes(4, "little") + extended
    parts = [head, message.payload[:size]]
    for place in range(size, len(message.payload), size):
        parts += [bytes((0xC0 | chunk_stream,)), extended, message.payload[place : place + size]]
    return b"".join(parts)


@dataclass(slots=True)
class _Stream:
    """What the next chunk of a chunk stream leaves out because it is as before."""

    timestamp: int = 0
    delta: int = 0
    length: int = 0
    type: int = 0
    stream: int = 0
    extended: bool = False
    known: bool = False
    body: bytearray = field(default_factory=bytearray)


class ChunkReader:
    """Takes the bytes as they come and gives the messages that are whole."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._size = _IN_CHUNK
        self._streams: dict[int, _Stream] = {}
        self._held = 0

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that `data` completes; ChunkError if these are none.

        Changes of the chunk size and aborted messages are seen to here.
        """
        self._rest += data
        while (taken := self._chunk()) is not None:
            used, message = taken
            del self._rest[:used]
            if message is None:
                continue
            if message.type == SET_CHUNK_SIZE:
                self._size = max(1, int.from_bytes(message.payload[:4], "big") & 0x7FFFFFFF)
            elif message.type == ABORT:
                self._forget(self._streams.get(int.from_bytes(message.payload[:4], "big"), _Stream()))
            else:
                yield message

    def _chunk(self) -> tuple[int, Message | None] | None:
        """How long the first chunk is, and the message that it completes; None: it is not all there."""
        rest = self._rest
        if not rest:
            return None
        form, number = rest[0] >> 6, rest[0] & 0x3F
        place = 1 + (number + 1 if number < 2 else 0)
        width = (11, 7, 3, 0)[form]
        if len(rest) < place + width:
            return None
        if number < 2:
            number = 64 + rest[1] + (rest[2] << 8 if number else 0)
        stream = self._stream(number)
        head = bytes(rest[place : place + width])
        place += width
        if form == 3 and not stream.known:
            raise ChunkError("the server does not speak RTMP")
        extended = head[:3] == b"\xff\xff\xff" if width else stream.extended
        time = int.from_bytes(head[:3], "big") if width else stream.delta
        if extended:
            if len(rest) < place + 4:
                return None
            time = int.from_bytes(rest[place : place + 4], "big")
            place += 4
        length = int.from_bytes(head[3:6], "big") if width >= 7 else stream.length
        if length > MAX_MESSAGE:
            raise ChunkError(f"the server sends a message of {length} bytes")
        size = min(self._size, length - len(stream.body))
        if size < 0 or self._held + size > 2 * MAX_MESSAGE:
            raise ChunkError("the server sends messages that do not end")
        if len(rest) < place + size:
            return None
        self._understand(stream, form, head, time, extended=extended, length=length)
        stream.body += rest[place : place + size]
        self._held += size
        return place + size, self._completed(stream)

    def _stream(self, number: int) -> _Stream:
        if number not in self._streams and len(self._streams) >= _MOST_STREAMS:
            raise ChunkError("the server uses too many chunk streams")
        return self._streams.setdefault(number, _Stream())

    def _understand(
        self, stream: _Stream, form: int, head: bytes, time: int, *, extended: bool, length: int
    ) -> None:
        begins = not stream.body
        stream.length, stream.extended, stream.known = length, extended, True
        if form <= 1:
            stream.type = head[6]
        if form == 0:
            stream.stream = int.from_bytes(head[7:11], "little")
            stream.timestamp = stream.delta = time  # a message of form 3 after it adds this, says the text
        elif form < 3:
            stream.delta = time
        if begins and form != 0:
            stream.timestamp = (stream.timestamp + stream.delta) & 0xFFFFFFFF

    def _completed(self, stream: _Stream) -> Message | None:
        if len(stream.body) < stream.length:
            return None
        message = Message(stream.type, stream.stream, stream.timestamp, bytes(stream.body))
        self._forget(stream)
        return message

    def _forget(self, stream: _Stream) -> None:
        self._held -= len(stream.body)
        stream.body.clear()
