"""How an answer of the application is written on the connection (RFC 9112)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Protocol

SERVER = "ffmpeg-rtmp"
_STATUS = re.compile(r"[1-9][0-9]{2}(?: [ \t\x21-\x7e\x80-\xff]*)?", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_VALUE = re.compile(r"[ \t\x21-\x7e\x80-\xff]*")
_OURS = frozenset(
    {
        "connection",
        "date",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "server",
        "te",
        "trailers",
        "transfer-encoding",
        "upgrade",
    }
)
"""Fields that are about the connection, or that the server says; the application's are left out."""
_MOST_LINES = 512
"""Fields that are remembered as they are sent: most are said again and again."""
_LONGEST = 256
"""Characters of a value that is remembered."""
_date = (0, b"")


class _Sink(Protocol):
    def sendall(self, data: bytes) -> None:
        """Take it."""


class Reply:
    """One answer. `sock` is set before anything is written."""

    sock: _Sink

    def __init__(self, method: str, *, chunks: bool, close: bool) -> None:
        """`chunks`: whether the client knows them. `close`: no other request will follow."""
        self.headers_sent = False
        self._method = method
        self._chunks = chunks
        self._close = close
        self._status: str | None = None
        self._fields: list[bytes] = []
        self._length: int | None = None
        self._sent = 0
        self._bare = False
        self._chunked = False

    def force_close(self) -> None:
        """Let no other request follow."""
        self._close = True

    def should_close(self) -> bool:
        """Whether no other request may follow: its end is the answer's, or it is not as long as it said."""
        if self._close or self._status is None:
            return True
        if self._bare or self._chunked:
            return False
        return self._length is None or (self.headers_sent and self._sent < self._length)

    def start_response(
        self, status: str, headers: Sequence[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """WSGI's. ValueError, TypeError for what must not be sent."""
        if exc_info and self.headers_sent:
            raise exc_info[1].with_traceback(exc_info[2])
        if self._status is not None and not exc_info:
            raise AssertionError("the answer has begun already")
        if not _STATUS.fullmatch(status):
            raise ValueError(f"invalid status {status!r}")
        code = int(status[:3])
        self._status = status
        self._bare = self._method == "HEAD" or code in (204, 304) or code < 200
        self._length = None
        self._fields = []
        for name, value in headers:
            if name.lower() == "content-length":
                self._length = int(value)
                if code == 204 or code < 200:
                    continue
            self._fields.append(_line(name, value) if len(value) <= _LONGEST else _written(name, value))
        self._chunked = self._length is None and self._chunks and not self._bare
        return self.write

    def write(self, data: bytes) -> None:
        """A piece of the body; the first one has the head before it."""
        head = b"" if self.headers_sent else self._head()
        if self._bare:
            data = b""
        elif self._chunked:
            # An empty chunk would be the end.
            data = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
        elif self._length is not None:
            data = data[: self._length - self._sent]
            self._sent += len(data)
        if head or data:
            self.sock.sendall(head + data)

    def close(self) -> None:
        """The body is whole."""
        if not self.headers_sent:
            self.write(b"")
        if self._chunked:
            self.sock.sendall(b"0\r\n\r\n")

    def _head(self) -> bytes:
        if self._status is None:
            raise AssertionError("the application wrote before it called start_response")
        # Before `headers_sent`: then nothing is missing yet.
        connection = b"close" if self.should_close() else b"keep-alive"
        self.headers_sent = True
        return b"".join(
            (
                f"HTTP/1.1 {self._status}\r\nServer: {SERVER}\r\nDate: ".encode("latin-1"),
                _now(),
                b"\r\nConnection: ",
                connection,
                b"\r\nTransfer-Encoding: chunked\r\n" if self._chunked else b"\r\n",
                *self._fields,
                b"\r\n",
            )
        )


def _written(name: str, value: str) -> bytes:
    if not isinstance(name, str) or not isinstance(value, str):
        raise TypeError("names and values of fields are text")
    # Without the value: it may be a secret.
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise ValueError(f"the field {name!r} cannot be sent")
    if name.lower() in _OURS:
        return b""
    stripped = value.strip(" \t")
    return f"{name}: {stripped}\r\n".encode("latin-1")


_line = lru_cache(_MOST_LINES)(_written)


def _now() -> bytes:
    """The time as `Date` has it; it changes once a second."""
    global _date
    second = int(time.time())
    if _date[0] != second:
        _date = (second, formatdate(second, usegmt=True).encode("ascii"))
    return _date[1]
