"""A client's side of RTMP: publishes a stream, or plays one. The stream's key is in no argument and no file.

After Adobe's "Real Time Messaging Protocol" 1.0. The server is believed nothing: what it sends is bounded,
and of it only the answers to our own requests and the pictures and sound that we asked for are used.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent.stream import amf, chunks, flv
from agent.stream.chunks import ChunkReader, Message
from agent.stream.flv import Tag
from agent.stream.wire import LostError, Wire
from common.version import VERSION

ANSWER_SECONDS = 10.0
"""In which a server must answer a request."""
_CONTROL_CHUNKS, _COMMAND_CHUNKS, _MEDIA_CHUNKS = 2, 3, 4
_HANDSHAKE = 1536
_STREAM_EOF, _PING, _PONG, _SET_BUFFER = 1, 6, 7, 3
_BUFFER_MILLISECONDS = 1000
_LIVE_ONLY = -1000.0
_ENDED = ("NetStream.Play.Stop", "NetStream.Play.UnpublishNotify", "NetStream.Play.StreamNotFound")
_SENT_TYPES = (flv.AUDIO, flv.VIDEO)


class RefusedError(LostError):
    """The server says no."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked of the server."""

    url: str
    """With scheme, host and application, and without the key: `rtmp://live.example.com/app`."""
    app: str
    key: str
    """A secret."""


class Session:
    """One connection that speaks RTMP. LostError from each method ends its use; CutError, too."""

    def __init__(self, wire: Wire, target: Target) -> None:
        """Nothing is sent yet."""
        self._wire, self._target = wire, target
        self._reader = ChunkReader()
        self._requests = 0
        self._stream = 0
        self._received = self._acknowledged = 0
        self._window = 2_500_000
        self._queued: list[Message] = []
        """What came while an answer was awaited."""
        self._optional: set[float] = set()
        """Requests that a server may refuse."""

    def publish(self) -> None:
        """From the handshake to the server's word that it takes the stream."""
        self._connect()
        for name in ("releaseStream", "FCPublish"):  # some servers want these; others know nothing of them
            self._optional.add(self._command(name, 0, None, self._target.key))
        self._create_stream()
        self._command("publish", self._stream, None, self._target.key, "live")
        self._await_status("NetStream.Publish.Start")

    def play(self) -> None:
        """From the handshake to the request for the live stream; a server may answer when there is one."""
        self._connect()
        self._create_stream()
        buffer = _SET_BUFFER.to_bytes(2, "big") + self._stream.to_bytes(4, "big")
        self._control(chunks.CONTROL, buffer + _BUFFER_MILLISECONDS.to_bytes(4, "big"))
        self._command("play", self._stream, None, self._target.key, _LIVE_ONLY)

    def send(self, tag: Tag) -> None:
        """Publish one tag."""
        kind, payload = tag.kind, tag.payload
        if kind == flv.SCRIPT:
            kind, payload = chunks.DATA, amf.encode("@setDataFrame") + payload
        message = Message(kind, self._stream, tag.timestamp, payload)
        self._wire.send(chunks.encode(message, _MEDIA_CHUNKS))

    def listen(self) -> None:
        """See to what the server has sent meanwhile, without waiting."""
        for message in self._incoming(0.0):
            self._must_go_on(message)

    def received(self, patience: float) -> list[Tag]:
        """Tags of a stream that is played, which came within `patience` seconds. LostError at its end."""
        messages, self._queued = [*self._queued, *self._incoming(patience)], []
        tags = []
        for message in messages:
            if message.type in _SENT_TYPES:
                tags.append(Tag(message.type, message.timestamp, message.payload))
            elif message.type == chunks.AGGREGATE:
                tags += _parts(message)
            elif self._has_ended(message):
                if not tags:
                    raise LostError("the stream has ended")
                self._queued.append(message)
                break
        return tags

    def unpublish(self) -> None:
        """Say that the stream ends, once all of it has arrived."""
        self._command("FCUnpublish", 0, None, self._target.key)
        self._command("deleteStream", 0, None, float(self._stream))
        self._wire.flush()

    def _connect(self) -> None:
        ours = bytes(8) + os.urandom(_HANDSHAKE - 8)
        self._wire.send(b"\x03" + ours)
        answer = self._exactly(1 + 2 * _HANDSHAKE)
        if answer[0] != 3:
            raise LostError("the server does not speak RTMP")
        self._wire.send(answer[1 : 1 + _HANDSHAKE])
        self._control(chunks.SET_CHUNK_SIZE, chunks.OUT_CHUNK.to_bytes(4, "big"))
        about = {
            "app": self._target.app,
            "type": "nonprivate",
            "flashVer": f"FMLE/3.0 (compatible; ffrtmp-agent/{VERSION})",
            "tcUrl": self._target.url,
            "fourCcList": ["hvc1", "av01", "vp09"],
        }
        self._await_result(self._command("connect", 0, about))

    def _create_stream(self) -> None:
        answer = self._await_result(self._command("createStream", 0, None))
        number = answer[3] if len(answer) > 3 else None
        if not isinstance(number, float) or not 0 <= number < 2**32:
            raise LostError("the server gave no stream to speak on")
        self._stream = int(number)

    def _exactly(self, count: int) -> bytes:
        data = b""
        until = time.monotonic() + ANSWER_SECONDS
        while len(data) < count:
            left = until - time.monotonic()
            if left <= 0:
                raise LostError(f"the server did not answer within {ANSWER_SECONDS:g} s")
            data += self._wire.receive(left)
        self._queued += self._reader.feed(data[count:])
        return data[:count]

    def _command(self, name: str, stream: int, *values: Any) -> float:
        """Its number, by which the answer is known."""
        self._requests += 1
        payload = amf.encode(name, float(self._requests), *values)
        self._wire.send(chunks.encode(Message(chunks.COMMAND, stream, 0, payload), _COMMAND_CHUNKS))
        return float(self._requests)

    def _control(self, kind: int, payload: bytes) -> None:
        self._wire.send(chunks.encode(Message(kind, 0, 0, payload), _CONTROL_CHUNKS))

    def _await_result(self, number: float) -> list[Any]:
        return self._await(lambda words: words[0] == "_result" and words[1:2] == [number])

    def _await_status(self, code: str) -> None:
        self._await(lambda words: words[0] == "onStatus" and _code(words) == code)

    def _await(self, wanted: Any) -> list[Any]:
        """The command that is `wanted`; RefusedError if an error comes instead."""
        until = time.monotonic() + ANSWER_SECONDS
        while (left := until - time.monotonic()) > 0:
            messages, self._queued = [*self._queued, *self._incoming(left)], []
            for place, message in enumerate(messages):
                words = _words(message)
                if words and wanted(words):
                    self._queued = messages[place + 1 :]
                    return words
                self._must_go_on(message)
        raise LostError(f"the server did not answer within {ANSWER_SECONDS:g} s")

    def _incoming(self, patience: float) -> list[Message]:
        """Messages, but for those that are answered here."""
        data = self._wire.receive(patience)
        self._received += len(data)
        try:
            messages = list(self._reader.feed(data))
        except chunks.ChunkError as error:
            raise LostError(str(error)) from error
        others = [message for message in messages if not self._is_seen_to(message)]
        if self._received - self._acknowledged >= self._window // 2:
            self._acknowledged = self._received
            self._control(chunks.ACK, (self._received & 0xFFFFFFFF).to_bytes(4, "big"))
        return others

    def _is_seen_to(self, message: Message) -> bool:
        kind, payload = message.type, message.payload
        if kind == chunks.WINDOW:
            self._window = max(1, int.from_bytes(payload[:4], "big"))
        elif kind == chunks.CONTROL and int.from_bytes(payload[:2], "big") == _PING:
            self._control(chunks.CONTROL, _PONG.to_bytes(2, "big") + payload[2:6])
        return kind in (chunks.WINDOW, chunks.ACK, chunks.PEER_BANDWIDTH)

    def _must_go_on(self, message: Message) -> None:
        words = _words(message)
        if not words:
            return
        about = words[3] if len(words) > 3 and isinstance(words[3], dict) else {}
        optional = words[0] == "_error" and len(words) > 1 and words[1] in self._optional
        if words[0] == "close" or (about.get("level") == "error" and not optional):
            raise RefusedError(f"the server refused it: {self._said(about)}")
        if _code(words) == "NetStream.Unpublish.Success":
            raise LostError("the server ended the stream")

    def _said(self, about: dict[str, Any]) -> str:
        """The server's words without the key, which some repeat."""
        said = about.get("description") or about.get("code") or "it said nothing"
        return printable(str(said).replace(self._target.key, "***"))

    def _has_ended(self, message: Message) -> bool:
        if message.type == chunks.CONTROL:
            return int.from_bytes(message.payload[:2], "big") == _STREAM_EOF
        self._must_go_on(message)
        words = _words(message)
        return bool(words) and _code(words) in _ENDED


def printable(text: str) -> str:
    """A server's words, short and on one line."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:200]).strip()


def _words(message: Message) -> list[Any]:
    """A command's name and values; empty: it is none."""
    if message.type not in (chunks.COMMAND, chunks.COMMAND_3):
        return []
    payload = message.payload[1:] if message.type == chunks.COMMAND_3 else message.payload
    try:
        return amf.decode(payload)
    except amf.AmfError as error:
        raise LostError(str(error)) from error


def _code(words: list[Any]) -> object:
    about = words[3] if len(words) > 3 else None
    return about.get("code") if isinstance(about, dict) else None


def _parts(message: Message) -> Iterator[Tag]:
    """The tags of an aggregate message, whose times count from its own."""
    parser = flv.FlvParser()
    list(parser.feed(flv.FILE_HEADER))
    first: int | None = None
    try:
        for tag in parser.feed(message.payload):
            first = tag.timestamp if first is None else first
            if tag.kind in _SENT_TYPES:
                yield tag.at(message.timestamp + tag.timestamp - first)
    except flv.FlvError as error:
        raise LostError(str(error)) from error
