"""One client connection, taken as far as it goes without ever waiting for the client.

Every step either completes or raises what a non-blocking socket raises; then the
connection waits on the poller, without a thread, until its deadline.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from werkzeug.exceptions import ClientDisconnected, RequestTimeout

from master.worker.plain import answer_plain

TLS_HANDSHAKE = 0x16
"""The first byte of every TLS connection (RFC 8446, section 5.1: record type)."""
MAX_HEAD = 64 * 1024
MAX_READ_AHEAD = 64 * 1024
"""Bodies up to this size are received on the poller too, before a thread sees them."""

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*\r\n", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long clients are waited for, in seconds."""

    first_byte: float = 10.0
    """From the connection to its first byte."""
    handshake: float = 20.0
    """For the whole TLS handshake, or for the whole head of a plain request. A handshake takes a round
    trip, which on a bad line is 10 s."""
    request: float = 30.0
    """For a request's head and small body together; and for a larger body to begin with."""
    body_rate: float = 64 * 1024
    """Bytes of a larger body that earn it another second."""
    keep_alive: float = 75.0
    """From an answer to the next request."""
    send: float = 30.0
    """For the client to make room for the next piece of an answer."""
    linger: float = 5.0
    """For the client to close after the last answer; what it still sends is discarded."""


class Stage(Enum):
    """What a connection waits for."""

    SILENT = "first byte"
    HELLO = "TLS handshake"
    PLAIN = "plain request"
    REQUEST = "request"
    IDLE = "next request"
    LINGER = "end"

    def wait(self, patience: Patience) -> float:
        """How long it may take, in seconds."""
        return {
            Stage.SILENT: patience.first_byte,
            Stage.HELLO: patience.handshake,
            Stage.PLAIN: patience.handshake,
            Stage.REQUEST: patience.request,
            Stage.IDLE: patience.keep_alive,
            Stage.LINGER: patience.linger,
        }[self]


class HeadTooLargeError(Exception):
    """The request's head is larger than MAX_HEAD."""


class Connection:
    """A client's socket and what is known of it. `sock`, `client` and `server` are gunicorn's names."""

    def __init__(self, sock: socket.socket, client: Any, server: Any, patience: Patience) -> None:
        sock.setblocking(False)
        self.patience = patience
        self.sock = sock
        self.client = client
        self.server = server
        self.closed = False
        self._received = bytearray()
        self.enter(Stage.SILENT)

    def enter(self, stage: Stage) -> None:
        """Begin to wait for something else; its time counts from now."""
        self.stage = stage
        self.deadline = time.monotonic() + stage.wait(self.patience)

    def look(self) -> None:
        """Tell TLS from plain HTTP by the first byte, which stays unread."""
        first = self.sock.recv(1, socket.MSG_PEEK)
        if not first:
            raise ConnectionAbortedError("closed before the first byte")
        self.enter(Stage.HELLO if first[0] == TLS_HANDSHAKE else Stage.PLAIN)

    def shake_hands(self, context: ssl.SSLContext) -> None:
        """The next steps of the TLS handshake; returns when it is done."""
        if not isinstance(self.sock, ssl.SSLSocket):
            self.sock = context.wrap_socket(self.sock, server_side=True, do_handshake_on_connect=False)
        self.sock.do_handshake()
        self.enter(Stage.REQUEST)

    def redirect(self) -> None:
        """Answer a plain HTTP request with where to go; returns when it is sent."""
        while True:
            self._receive(MAX_HEAD)
            answer = answer_plain(bytes(self._received), self.sock.getsockname())
            if answer is not None:
                self.sock.send(answer)
                return

    def fill(self) -> None:
        """Receive a request's head and small body; returns when they are whole."""
        while not self._whole():
            self._receive(MAX_READ_AHEAD)
            if self.stage is Stage.IDLE:
                self.enter(Stage.REQUEST)

    def take(self) -> bytes:
        """What was received, for the parser."""
        taken = bytes(self._received)
        self._received.clear()
        return taken

    def keep(self, rest: bytes) -> None:
        """Get ready for the next request, of which `rest` was received already."""
        self.sock.setblocking(False)
        self._received += rest
        self.enter(Stage.REQUEST if rest else Stage.IDLE)

    def finish(self) -> None:
        """Say that nothing more will be sent. What the client still sends is to be discarded.

        Closing at once would reset the connection while the client sends, and it would
        lose the answer (RFC 9112, section 9.6).
        """
        self.sock.setblocking(False)
        with suppress(OSError, ValueError):
            if isinstance(self.sock, ssl.SSLSocket):
                # Sends close_notify. It raises "want read", as the client's has not come yet.
                self.sock.unwrap()
        self.sock.shutdown(socket.SHUT_WR)
        self.enter(Stage.LINGER)

    def discard(self) -> bool:
        """Throw away what the client sends; whether the client has closed."""
        try:
            return not self.sock.recv(256 * 1024)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True

    def close(self) -> None:
        """Close at once, from any state."""
        self.closed = True
        with suppress(OSError):
            self.sock.close()

    def _receive(self, size: int) -> None:
        data = self.sock.recv(size)
        if not data:
            raise ConnectionAbortedError("closed by the client")
        self._received += data

    def _whole(self) -> bool:
        # Empty lines before a request are to be ignored (RFC 9112, section 2.2).
        while self._received.startswith(b"\r\n"):
            del self._received[:2]
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            if len(self._received) > MAX_HEAD:
                raise HeadTooLargeError
            return False
        # This only decides when a thread takes over; what the request says is the parser's to judge.
        head = bytes(self._received[: end + 2])
        length = _LENGTH.search(head)
        if length is None or int(length[1]) > MAX_READ_AHEAD or _EXPECT.search(head):
            return True
        return len(self._received) >= end + 4 + int(length[1])


class BodySource:
    """Where gunicorn's parser receives a larger body from, in a thread, against a deadline."""

    def __init__(self, sock: socket.socket, patience: Patience) -> None:
        self._sock = sock
        self._patience = patience
        self._deadline: float | None = None

    def recv(self, size: int) -> bytes:
        """The next bytes. Raises RequestTimeout (408) or ClientDisconnected (400)."""
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + self._patience.request
        if self._deadline <= now:
            raise RequestTimeout("The request's body came too slowly; send it again.")
        self._sock.settimeout(self._deadline - now)
        try:
            data = self._sock.recv(size)
        except TimeoutError as error:
            raise RequestTimeout("The request's body came too slowly; send it again.") from error
        except OSError as error:
            raise ClientDisconnected from error
        finally:
            self._sock.settimeout(self._patience.send)
        if not data:
            # A body that ends early must never be taken for a whole one.
            raise ClientDisconnected
        self._deadline += len(data) / self._patience.body_rate
        return data

    def stop(self) -> None:
        """Wait for nothing more: the answer has been sent."""
        self._deadline = 0.0
