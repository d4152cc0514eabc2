"""A TCP proxy between clients and a master, with the faults that networks have.

It cannot see inside TLS, but it sees TLS records (RFC 8446, section 5.1). A fault begins with
what is sent after it was switched on, also on connections that are open by then: so a client
that has shaken hands before has only its request cut, and only its answer lost.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

_RECORD_HEADER = 5
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: close at once and say so, instead of sending what is left."""


@dataclass
class Faults:
    """What is wrong with the network now."""

    lose_replies: bool = False
    """What the master sends is swallowed; when the first of it comes, the connection is closed."""
    cut: int | None = None
    """A client's connection is reset in the middle of what it sends: after so many TLS records and half
    of the next."""
    delay: tuple[float, float] | None = None
    """Seconds that everything takes in each direction: a different time, between these two, for each
    piece, and never out of order."""
    swallow: bool = False
    """Connections are taken and stay open, and nothing arrives anywhere."""


class Proxy:
    """Runs in a thread of its own; `port` stands for the master's."""

    def __init__(self, target: int) -> None:
        """`target`: the master's port on this machine."""
        self.target = target
        self.faults = Faults()
        self.lost_replies = 0
        self.passed_replies = 0
        """Pieces of what the master sent: an answer may come in several."""
        self.cuts = 0
        self.port = 0
        self._chance = random.Random(target)
        self._ends: set[End] = set()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.accept()

    def accept(self) -> None:
        """Take connections, again on the port of before."""
        self._do(self._listen())

    def refuse(self) -> None:
        """Take no connections; those that are open end."""
        self._do(self._deafen())
        self.drop_all()

    def drop_all(self) -> None:
        """Reset all open connections."""
        self._do(self._drop())

    @contextmanager
    def fault(self, **faults: Any) -> Iterator[None]:
        """Switch faults on for a while."""
        self.faults = Faults(**faults)
        try:
            yield
        finally:
            self.faults = Faults()

    def close(self) -> None:
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # In the proxy's thread

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(
            lambda: End(self), "127.0.0.1", self.port, reuse_address=True, backlog=2048
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _deafen(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _drop(self) -> None:
        for end in list(self._ends):
            end.reset()

    def _do(self, action: Any) -> None:
        asyncio.run_coroutine_threadsafe(action, self._loop).result(10)

    def opened(self, end: End) -> None:
        self._ends.add(end)
        if end.peer is None:
            end.task = self._loop.create_task(self._connect(end))

    async def _connect(self, client: End) -> None:
        try:
            await self._loop.create_connection(lambda: End(self, client), "127.0.0.1", self.target)
        except OSError:
            client.reset()
        else:
            early = bytes(client.held)
            client.held.clear()
            self.passes(client, early)

    def closed(self, end: End) -> None:
        self._ends.discard(end)

    def later(self, sender: End, action: Callable[[], None]) -> None:
        """Do to the peer of `sender` what it should notice, when it should."""
        if self.faults.swallow:
            return
        now = self._loop.time()
        due = now + (self._chance.uniform(*self.faults.delay) if self.faults.delay else 0.0)
        if due <= now and sender.due <= now:
            action()
            return
        sender.due = max(due, sender.due + 1e-6)
        self._loop.call_at(sender.due, action)

    def passes(self, sender: End, data: bytes) -> None:
        """Hand on what `sender` sent, or do with it what the faults say."""
        if self.faults.swallow:
            return
        if sender.peer is None:
            sender.held += data
        elif not sender.is_client and self.faults.lose_replies:
            self.lost_replies += 1
            sender.reset()
        elif sender.is_client and self.faults.cut is not None:
            sender.held += data
            end = _middle_of_record(sender.held, self.faults.cut)
            if end is not None:
                self.cuts += 1
                sender.peer.transport.write(bytes(sender.held[:end]))
                sender.reset()
        else:
            self.passed_replies += not sender.is_client
            self.later(sender, partial(sender.peer.write, data))


class End(asyncio.Protocol):
    """One end of a connection through the proxy: towards a client, or (with a `peer`) towards the master."""

    transport: asyncio.Transport

    def __init__(self, proxy: Proxy, peer: End | None = None) -> None:
        self.peer = peer
        self.is_client = peer is None
        self.due = 0.0
        """When the peer gets the last of what came from here so far."""
        self.held = bytearray()
        """What came and cannot be passed on yet."""
        self.task: asyncio.Task[None] | None = None
        self._proxy = proxy

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if self.peer is not None:
            self.peer.peer = self
        self._proxy.opened(self)

    def data_received(self, data: bytes) -> None:
        self._proxy.passes(self, data)

    def connection_lost(self, _error: Exception | None) -> None:
        self._proxy.closed(self)
        if self.peer is not None:
            self._proxy.later(self, self.peer.transport.close)

    def write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    def reset(self) -> None:
        """Both ends, at once."""
        for end in (self, self.peer):
            if end is not None and not end.transport.is_closing():
                sock: socket.socket = end.transport.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.transport.abort()


def _middle_of_record(data: bytes | bytearray, skip: int) -> int | None:
    """The offset of the middle of the TLS record behind `skip` others; None while it is not there."""
    offset = 0
    while len(data) >= offset + _RECORD_HEADER:
        length = int.from_bytes(data[offset + 3 : offset + _RECORD_HEADER], "big")
        middle = offset + _RECORD_HEADER + length // 2
        if skip == 0:
            return middle if len(data) >= middle else None
        offset, skip = offset + _RECORD_HEADER + length, skip - 1
    return None
