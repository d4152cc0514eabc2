"""A load generator of new connections: each asks once over a full TLS handshake, and closes."""

from __future__ import annotations

import select
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass

from bench.load import Load, client_context, parsed

_READ = 64 * 1024


@dataclass(slots=True)
class _Caller:
    """One connection on its way."""

    sock: ssl.SSLSocket
    began: float
    greeted: bool = False
    buffer: bytes = b""

    def advance(self, data: bytes) -> int | None:
        """What it waits for (an epoll event), or None when it has its answer."""
        try:
            if not self.greeted:
                self.sock.do_handshake()
                self.sock.send(data)
                self.greeted = True
            received = self.sock.recv(_READ)
        except ssl.SSLWantReadError:
            return select.EPOLLIN
        except ssl.SSLWantWriteError:
            return select.EPOLLOUT
        if not received:
            raise ConnectionResetError("the server closed the connection")
        self.buffer += received
        return None if parsed(self.buffer) is not None else select.EPOLLIN


class Reconnecting:
    """As many clients as asked for, in one thread."""

    def __init__(self, port: int, data: bytes) -> None:
        """`data`: the request."""
        self._port = port
        self._data = data
        self._context = client_context()
        self._poll = select.epoll()
        self._callers: dict[int, _Caller] = {}

    def drive(self, clients: int, seconds: float) -> Load:
        """A time is that from the connection to the whole answer. RefusedError, OSError."""
        load, cpu, began = Load(), time.process_time(), time.perf_counter()
        try:
            for _ in range(clients):
                self._begin()
            while (now := time.perf_counter()) < began + seconds:
                for number, _ in self._poll.poll(began + seconds - now):
                    self._advance(number, load)
            load.seconds, load.cpu = time.perf_counter() - began, time.process_time() - cpu
        finally:
            self._poll.close()
            for caller in self._callers.values():
                caller.sock.close()
        return load

    def _begin(self) -> None:
        raw = socket.socket()
        raw.setblocking(False)
        with suppress(BlockingIOError):
            raw.connect(("127.0.0.1", self._port))
        sock = self._context.wrap_socket(raw, server_hostname="localhost", do_handshake_on_connect=False)
        self._callers[sock.fileno()] = _Caller(sock, time.perf_counter())
        self._poll.register(sock.fileno(), select.EPOLLOUT)

    def _advance(self, number: int, load: Load) -> None:
        caller = self._callers[number]
        wanted = caller.advance(self._data)
        if wanted is not None:
            self._poll.modify(number, wanted)
            return
        load.times.append(time.perf_counter() - caller.began)
        del self._callers[number]
        caller.sock.close()
        self._begin()
