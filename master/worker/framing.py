"""Pure: where the parts of a request end, in bytes that come little by little.

This only decides when a request is whole. What it says, and whether it is one, is for
gunicorn's parser to judge.
"""

from __future__ import annotations

import re

from common import problems

MAX_HEAD = 64 * 1024
MAX_BODY = 16 * 1024 * 1024
"""Bytes of the largest body that any endpoint takes (`master.api.answers.BATCH_BODY`)."""
_SPARE_CHUNKS = 1000
_CHUNK = 256
"""Bytes that chunks must have on average, after the first thousand: smaller ones cost more to read than to
send."""
_MAX_CHUNK_LINE = 4096
_MAX_TRAILERS = 8192

_REQUEST_LINE_END = re.compile(rb"HTTP/[0-9]\.[0-9]\Z")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?", re.DOTALL)


def end_of_head(received: bytearray) -> int | None:
    """Where the head ends; None while it goes on. Raises the problem `head_too_large`.

    A head that no further byte can make valid ends where it is.
    """
    end = received.find(b"\r\n\r\n")
    if max(end, len(received) if end < 0 else 0) > MAX_HEAD:
        raise problems.HEAD_TOO_LARGE(f"The request's head has more than {MAX_HEAD} bytes.")
    if end >= 0:
        return end + 4
    first_line = received.find(b"\r\n")
    if first_line >= 0 and not _REQUEST_LINE_END.search(received[:first_line]):
        return len(received)  # HTTP/0.9, or another protocol
    if received.count(b"\n") != received.count(b"\r\n"):
        return len(received)  # a line that ends with LF alone
    return None


def too_large() -> problems.Problem:
    """The refusal of a body above `MAX_BODY`."""
    return problems.TOO_LARGE(f"No body may have more than {MAX_BODY} bytes here.")


class Chunks:
    """Finds the end of a chunked body (RFC 9112, section 7.1), looking at every byte once."""

    def __init__(self) -> None:
        self._at = 0
        """Where the next size line begins, which may not be here yet."""
        self._count = 0
        self._last = False

    def end(self, received: bytearray) -> int | None:
        """Where the body ends that begins at 0; None while it goes on. Raises `too_large`, `invalid`.

        A body that no further byte can make valid ends where it is.
        """
        while not self._last:
            line_end = received.find(b"\r\n", self._at, self._at + _MAX_CHUNK_LINE)
            if line_end < 0:
                return len(received) if len(received) - self._at >= _MAX_CHUNK_LINE else None
            size = _CHUNK_SIZE.fullmatch(received, self._at, line_end)
            if size is None:
                return len(received)
            self._pass(line_end, int(size[1], 16))
        end = received.find(b"\r\n\r\n", self._at, self._at + _MAX_TRAILERS)
        if end < 0:
            return len(received) if len(received) - self._at >= _MAX_TRAILERS else None
        return end + 4

    def _pass(self, line_end: int, size: int) -> None:
        if size == 0:
            # The empty line that ends the trailers may be the end of this one.
            self._at, self._last = line_end, True
            return
        self._at = line_end + 2 + size + 2
        self._count += 1
        if self._at > MAX_BODY:
            raise too_large()
        if self._count > _SPARE_CHUNKS + self._at // _CHUNK:
            raise problems.INVALID(f"The body's chunks are too small: send {_CHUNK} bytes or more in each.")
