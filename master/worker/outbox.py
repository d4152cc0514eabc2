"""Sending without ever waiting for the client."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from master.worker.reply import Reply
from master.worker.stream import Stream

_OFFER = 64 * 1024
"""Bytes offered to the socket at once."""


class Outbox:
    """What is still to be sent to one client. Replies write to it as to a socket."""

    def __init__(self) -> None:
        self._unsent = bytearray()

    def __len__(self) -> int:
        return len(self._unsent)

    def sendall(self, data: bytes) -> None:
        """Keep it until `flush`."""
        self._unsent += data

    def flush(self, sock: Any, most: int) -> int:
        """Send what the socket takes, and little more than `most` bytes; how many it took.

        TLS wants bytes that were refused once to be offered again: they are, as others are only
        ever added behind them.
        """
        sent = 0
        with suppress(BlockingIOError, ssl.SSLWantWriteError):
            while self._unsent and sent < most:
                with memoryview(self._unsent) as unsent:
                    taken = sock.send(unsent[:_OFFER])
                del self._unsent[:taken]
                sent += taken
        return sent


class Answer:
    """What the application answers, piece by piece, no faster than the client takes it."""

    def __init__(self, response: Reply, pieces: Iterable[bytes]) -> None:
        """`response` writes it; `pieces` is what the WSGI application returned."""
        self._response = response
        self._source = pieces
        self._pieces: Iterator[bytes] = iter(pieces)
        self._next: bytes | None = None

    @property
    def begun(self) -> bool:
        """Whether its head is written."""
        return self._response.headers_sent

    @property
    def ends_connection(self) -> bool:
        """Whether no other request may follow."""
        return self._response.should_close()

    @property
    def idle(self) -> bool:
        """Whether it has nothing to say now; only a stream can be."""
        return False

    def write(self, outbox: Outbox, most: int) -> bool:
        """Write pieces while the outbox has less than `most` bytes; whether the answer is whole."""
        while True:
            piece = next(self._pieces, None) if self._next is None else self._next
            if piece is None:
                self._response.close()
                self.close()
                return True
            if len(outbox) >= most:
                self._next = piece
                return False
            self._next = None
            self._response.write(piece)

    def close(self) -> None:
        """Tell the application that no more pieces are wanted (PEP 3333); once."""
        source, self._source = self._source, ()
        close = getattr(source, "close", None)
        if close is not None:
            close()


class StreamedAnswer(Answer):
    """What a stream answers: what is ready, when it is."""

    def __init__(self, response: Reply, stream: Stream, waker: Callable[[], None]) -> None:
        """`waker` is called, by any thread, when an idle stream has something to say."""
        super().__init__(response, stream)
        self._stream = stream
        self._idle = False
        stream.open(waker)

    @property
    def idle(self) -> bool:
        """Whether it has nothing to say now, and was not woken since."""
        return self._idle and not self._stream.woken

    def write(self, outbox: Outbox, most: int, *, beat: bool = False) -> bool:
        """Write what is ready, while the outbox has less than `most` bytes; whether the stream has ended.

        `beat`: it has been silent.
        """
        self._idle = False
        while len(outbox) < most:
            piece = self._stream.more(beat=beat)
            if piece is None:
                self._response.close()
                self.close()
                return True
            # Also where it is empty: this sends the head.
            self._response.write(piece)
            if not piece:
                self._idle = True
                return False
            beat = False
        return False
