"""A load generator: many connections in one thread, each of which follows a script.

A script is a generator: it gives the bytes of a request, gets the answer, gives the next one. Requests are
made before, answers are looked through for their length only, and one epoll waits for all. `Load.share`
tells of each run how much of a core that took: it measures a server only while that is well below 1.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from bench.rig import Sample, quantile

CONNECT = 20.0
"""Seconds in which all connections must be open."""
PATIENCE = 20.0
"""Seconds that the last answers may take when the time is over."""
MOST_BROKEN = 20
"""Connections that a server may close in a run."""
_READ = 256 * 1024
CLOSED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
RETRY = (ssl.SSLWantReadError, BlockingIOError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    body: bytes


Script = Generator[bytes, Answer, None]


class RefusedError(Exception):
    """The server did not answer with success: a rate of refusals would say nothing."""


@dataclass(slots=True)
class Load:
    """What came of a run."""

    seconds: float = 0.0
    cpu: float = 0.0
    """Seconds of CPU time that the generator took."""
    times: list[float] = field(default_factory=list)
    """Seconds from each request to its whole answer."""
    broken: int = 0
    """Connections that the server closed although they were to stay open."""
    server: float | None = None
    """Seconds of CPU time that the server took; None: unknown."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times) / self.seconds

    @property
    def share(self) -> float:
        """How much of one core the generator used: it was no bottleneck if that is well below 1."""
        return self.cpu / self.seconds

    @property
    def cost(self) -> float:
        """Microseconds of the server's CPU time for each answer. ValueError if that is unknown."""
        if self.server is None or not self.times:
            raise ValueError("nobody looked at the server")
        return 1e6 * self.server / len(self.times)

    def sample(self, value: float | None = None) -> Sample:
        """The rate, or `value`, with what else is worth telling."""
        found: dict[str, float] = {}
        if self.times:
            found["p50, ms"] = 1000 * quantile(self.times, 0.5)
            found["p99, ms"] = 1000 * quantile(self.times, 0.99)
        if self.times and self.server is not None:
            found["server's CPU, us"] = self.cost
        found["generator, cores"] = self.share
        if self.broken:
            found["connections that the server closed"] = self.broken
        return Sample(self.rate if value is None else value, found)


def request(
    method: str, path: str, body: bytes = b"", token: str | None = None, close: bool = False
) -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if method == "POST" else []
    lines += ["Connection: close"] if close else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def again_and_again(data: bytes) -> Script:
    """The same request without end."""
    while True:
        yield data


def client_context() -> ssl.SSLContext:
    """Of a client that trusts anybody: what is measured is on this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def connect(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    """An open connection. Raises OSError."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=CONNECT)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(raw, server_hostname="localhost")


class _Client:
    """A connection and its script."""

    __slots__ = ("asked", "buffer", "data", "port", "script", "sock")

    def __init__(self, script: Script, port: int) -> None:
        self.sock: ssl.SSLSocket
        self.port = port
        self.script = script
        self.buffer = b""
        self.data = b""
        """What it asked last."""
        self.asked = 0.0

    def send(self, data: bytes) -> None:
        self.data, self.asked = data, time.perf_counter()
        sent = self.sock.send(data)
        if sent < len(data):  # a large batch: the server takes it by and by
            self.sock.setblocking(True)
            self.sock.sendall(data[sent:])
            self.sock.setblocking(False)

    def receive(self) -> Answer | None:
        """The whole answer, once it is there. RefusedError; ConnectionError if the server has closed."""
        while True:
            try:
                data = self.sock.recv(_READ)
            except RETRY:
                return None
            if not data:
                raise ConnectionResetError("the server closed the connection")
            self.buffer = self.buffer + data if self.buffer else data
            found = parsed(self.buffer)
            if found is not None:
                self.buffer = b""
                return found


def parsed(data: bytes) -> Answer | None:
    """The answer that `data` is; None while it is not whole. RefusedError if it is no success."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    status = int(data[9:12])
    place = data.find(b"ontent-Length: ", 0, end)
    if place < 0:
        place = data.lower().find(b"ontent-length: ", 0, end)
    length = int(data[place + 15 : data.find(b"\r\n", place)]) if place >= 0 else 0
    if len(data) < end + 4 + length:
        return None
    body = data[end + 4 :]
    if status >= 300:
        raise RefusedError(f"the server answered {status}: {body[:300].decode(errors='replace')}")
    return Answer(status, body)


def drive(ports: int | Sequence[int], scripts: Iterable[Script], seconds: float) -> Load:
    """Let all scripts run at once for so long; of several ports, each script has the next. RefusedError,
    OSError.
    """
    listed = [ports] if isinstance(ports, int) else ports
    with _Drive() as running:
        for number, script in enumerate(scripts):
            running.open(_Client(script, listed[number % len(listed)]))
        return running.run(seconds)


class _Drive:
    """All connections of a run."""

    def __init__(self) -> None:
        self._context = client_context()
        self._poll = select.epoll()
        self._clients: dict[int, _Client] = {}
        self._load = Load()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._poll.close()
        for client in self._clients.values():
            client.sock.close()

    def open(self, client: _Client) -> None:
        """Give it a connection."""
        client.sock = connect(client.port, self._context)
        client.sock.setblocking(False)
        self._clients[client.sock.fileno()] = client
        self._poll.register(client.sock.fileno(), select.EPOLLIN)

    def run(self, seconds: float) -> Load:
        """Once."""
        load, began, cpu = self._load, time.perf_counter(), time.process_time()
        for client in self._clients.values():
            client.send(next(client.script))
        waiting = self._exchange(began + seconds)
        load.seconds, load.cpu = time.perf_counter() - began, time.process_time() - cpu
        self._drain(waiting)
        return load

    def _exchange(self, end: float) -> set[_Client]:
        """Until the time is over; the clients that wait for an answer then."""
        waiting = set(self._clients.values())
        while waiting and (now := time.perf_counter()) < end:
            for number, _ in self._poll.poll(end - now):
                client = self._clients[number]
                try:
                    answer = client.receive()
                except CLOSED:
                    self._again(number, client)
                    continue
                if answer is None:
                    continue
                self._load.times.append(time.perf_counter() - client.asked)
                try:
                    data = client.script.send(answer)
                except StopIteration:
                    waiting.discard(client)
                    continue
                try:
                    client.send(data)
                except CLOSED:
                    self._again(number, client)
        return waiting

    def _again(self, number: int, client: _Client) -> None:
        """The server has closed: as any client would, it asks again over a new connection."""
        self._load.broken += 1
        if self._load.broken > MOST_BROKEN:
            raise ConnectionResetError("the server closes connections again and again")
        del self._clients[number]
        client.sock.close()
        client.buffer = b""
        asked = client.asked
        self.open(client)
        client.send(client.data)
        client.asked = asked

    def _drain(self, waiting: set[_Client]) -> None:
        """Take the last answers, so that the next run finds the server idle; they are not counted."""
        end = time.perf_counter() + PATIENCE
        while waiting and (left := end - time.perf_counter()) > 0:
            for number, _ in self._poll.poll(left):
                client = self._clients[number]
                with suppress(*CLOSED):
                    if client.receive() is None:
                        continue
                self._poll.unregister(number)
                waiting.discard(client)
