"""A request whose head is here: what is known of it, and where its body ends."""

from __future__ import annotations

import re
from typing import Any

import gunicorn.http.wsgi
from gunicorn.http import Request
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, NoMoreData, ParseException
from gunicorn.http.unreader import SocketUnreader

from common import problems
from common.problems import Problem
from common.request_ids import well_formed
from master.worker.framing import MAX_BODY, Chunks, too_large
from master.worker.head import read_head
from master.worker.reply import Reply

REQUEST_ID = "master.request_id"
"""What the worker calls the request, in the WSGI environment."""
_REQUEST_ID_KEY = "HTTP_X_REQUEST_ID"
LONG_BODY = 32 * 1024
"""Bytes of a body from which on reading it takes too long for the loop."""


class _Bytes:
    """Received bytes, which gunicorn's parser takes as from a socket: in pieces of its own choice."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)

    def recv(self, size: int) -> bytes:
        taken, self._data = bytes(self._data[:size]), self._data[size:]
        return taken


class Incoming:
    """Raises the problems `invalid`, `head_too_large`, `too_large`, and NoMoreData is never let out."""

    wants_continue = False
    _chunks: Chunks | None = None

    def __init__(self, cfg: Any, client: Any, head: bytes) -> None:
        found = read_head(head)
        if found is None:
            self._parse(cfg, client, head)
        else:
            self.environ: dict[str, Any] = found.environ
            """What it adds to the WSGI environment."""
            self._length = found.length
            self._old, self._close = False, found.close
        if self._length > MAX_BODY:
            raise too_large()

    def _parse(self, cfg: Any, client: Any, head: bytes) -> None:
        """What is not ordinary, gunicorn reads."""
        self._unreader = SocketUnreader(_Bytes(head))
        try:
            self._request = request = Request(cfg, self._unreader, client)
        except (ParseException, NoMoreData, StopIteration) as error:
            raise _refusal(error) from error
        self.wants_continue = request._expected_100_continue
        # The worker says it, and only once.
        request._expected_100_continue = False
        reader = request.body.reader
        self._chunks = Chunks() if isinstance(reader, ChunkedReader) else None
        self._length = reader.length if isinstance(reader, LengthReader) else 0
        self._old, self._close = request.version < (1, 1), request.should_close()
        _, self.environ = gunicorn.http.wsgi.create(request, None, client, ("", ""), cfg)
        del self.environ["wsgi.early_hints"]  # it would write to the socket

    def reply(self) -> Reply:
        """What its answer is written with."""
        return Reply(self.environ["REQUEST_METHOD"], chunks=not self._old, close=self._close)

    @property
    def request_id(self) -> str | None:
        """What its sender calls it; None if it does not say, or not well."""
        said = self.environ.get(_REQUEST_ID_KEY)
        return None if said is None else well_formed(said)

    @property
    def long(self) -> bool:
        """Whether its body is not small, or comes in pieces: reading it takes time."""
        return self._chunks is not None or self._length > LONG_BODY

    def end_of_body(self, received: bytearray) -> int | None:
        """Where in `received`, which begins with it, the body ends; None while it goes on."""
        if self._chunks is not None:
            return self._chunks.end(received)
        return self._length if len(received) >= self._length else None

    def body(self, received: bytes) -> bytes:
        """The content of the whole body `received`."""
        if self._chunks is None:
            return received
        self._unreader.sock = _Bytes(received)
        try:
            return bytes(self._request.body.read())
        except (ParseException, NoMoreData) as error:
            raise _refusal(error) from error


def _refusal(error: Exception) -> Problem:
    if isinstance(error, LimitRequestLine | LimitRequestHeaders):
        return problems.HEAD_TOO_LARGE(f"The request's head is too large: {error}.")
    reason = "it ends early" if isinstance(error, NoMoreData | StopIteration) else _fault(error)
    return problems.INVALID(f"This is not a request the master can read: {reason}.")


def _fault(error: Exception) -> str:
    """What is wrong with a request: `invalid HTTP version`. gunicorn would repeat it, secrets and all."""
    words = re.findall(r"[A-Z][a-z]+|[A-Z0-9]+(?![a-z])", type(error).__name__)
    return " ".join(word if word.isupper() else word.lower() for word in words)
