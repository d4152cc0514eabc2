"""One connection to a server, on which no wait is longer than it may be."""

from __future__ import annotations

import contextlib
import fcntl
import select
import socket
import ssl
import struct
import termios
import time
from collections.abc import Callable

TICK = 0.2
"""Seconds between looks at whether the connection is still wanted."""
SILENCE = 10.0
"""Seconds in which a server must take something, or give what is awaited."""
_SEND_BUFFER = 512 * 1024
"""Bytes that the kernel keeps of what the server has not taken: more would only hide that it hangs."""
_GOODBYE = 2.0
"""Seconds that a server gets to close its side."""
_CHUNK = 64 * 1024
_MILLISECONDS = 1000


class CutError(Exception):
    """The connection is not wanted any more: whatever it was doing ends."""


class LostError(OSError):
    """The connection is of no use any more; the message says why."""


class Wire:
    """A socket, secured or not, that waits in small steps and asks `wanted` at each."""

    def __init__(self, sock: socket.socket, wanted: Callable[[], bool], silence: float = SILENCE) -> None:
        """`sock` is connected; TLS is through its handshake. It is closed by `close`."""
        self.written = 0
        """Bytes that were handed to the kernel."""
        self._sock, self._wanted, self._silence = sock, wanted, silence
        sock.setblocking(False)

    def send(self, data: bytes) -> None:
        """All of it; LostError if the server takes nothing for a while or is gone, CutError if not wanted."""
        rest = memoryview(data)
        taken = time.monotonic()
        while rest:
            try:
                count = self._sock.send(rest)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                if time.monotonic() - taken > self._silence:
                    raise LostError(f"the server took nothing for {self._silence:g} s") from error
                self._wait(reading=isinstance(error, ssl.SSLWantReadError))
                continue
            except OSError as error:
                raise LostError(f"the connection broke: {error.strerror or error}") from error
            rest = rest[count:]
            self.written += count
            taken = time.monotonic()

    def receive(self, patience: float = 0.0) -> bytes:
        """What has come, waiting for it up to `patience` seconds; empty: nothing. LostError at its end."""
        until = time.monotonic() + patience
        while True:
            try:
                data = self._sock.recv(_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                left = until - time.monotonic()
                if left <= 0:
                    return b""
                self._wait(reading=not isinstance(error, ssl.SSLWantWriteError), most=left)
                continue
            except OSError as error:
                raise LostError(f"the connection broke: {error.strerror or error}") from error
            if not data:
                raise LostError("the server closed the connection")
            return data

    @property
    def arrived(self) -> int:
        """Bytes of `written` that the kernel of the other side has acknowledged; a little less with TLS."""
        with contextlib.suppress(OSError):
            waiting = fcntl.ioctl(self._sock.fileno(), termios.TIOCOUTQ, b"\0" * 4)
            (count,) = struct.unpack("i", waiting)
            return self.written - min(self.written, int(count))
        return 0

    def flush(self) -> None:
        """Wait until the other side has acknowledged all; LostError if it does not in time."""
        until = time.monotonic() + self._silence
        while self.arrived < self.written:
            if time.monotonic() > until:
                raise LostError(f"the server took nothing for {self._silence:g} s")
            if not self._wanted():
                raise CutError
            time.sleep(TICK / 10)  # the kernel tells this to those who ask only

    def finish(self) -> None:
        """Close it in good order: what the server has not read yet is not lost. LostError, CutError."""
        self.flush()
        if not isinstance(self._sock, ssl.SSLSocket):
            with contextlib.suppress(LostError, OSError):
                self._sock.shutdown(socket.SHUT_WR)
                until = time.monotonic() + _GOODBYE
                while time.monotonic() < until:  # until the server closes, too
                    self.receive(until - time.monotonic())
        self.close()

    def close(self) -> None:
        """At once."""
        with contextlib.suppress(OSError):
            self._sock.close()

    def _wait(self, *, reading: bool, most: float = TICK) -> None:
        if not self._wanted():
            raise CutError
        poll = select.poll()
        poll.register(self._sock, select.POLLIN if reading else select.POLLOUT)
        poll.poll(min(TICK, most) * _MILLISECONDS)


def prepare(sock: socket.socket, silence: float = SILENCE) -> None:
    """Before TLS: small pictures leave at once, and a peer that is gone is noticed by the kernel, too."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(silence * _MILLISECONDS))
