"""Crowds of slow clients, in a process of their own: `python bench/attacks.py NAME PORT TOKEN`.

It says "reached N" in one line when N of the crowd are where they want to be, or as many as three
minutes allow; after that, how many are so every second. Who is thrown out comes back at once. It goes
on until it is ended.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

RAMP = 180.0
"""Seconds in which the crowd may gather."""
DRIP = 1.0
"""Seconds between two bytes of a client that drips."""
IDLE = 50.0
"""Seconds between two questions of an idle client; a master keeps a connection for 75 s."""
HOME = 1000
"""Clients of one address (127.0.0.2 and on): one address has too few ports for all."""
_NARROW = 4096
"""Bytes that a slow reader lets wait in its socket."""
_HALF_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


@dataclass(slots=True)
class Client:
    """One member of the crowd, connected."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    arrived: Callable[[], None]
    token: str

    async def stay(self, drip: bytes = b"") -> None:
        """Send `drip` by and by, until the server ends the connection."""
        self.arrived()
        while not self.reader.at_eof():
            if drip:
                self.writer.write(drip)
                await self.writer.drain()
                await asyncio.sleep(DRIP)
            else:
                await self.reader.read(4096)


async def silent(client: Client) -> None:
    """Says nothing."""
    await client.stay()


async def half_hello(client: Client) -> None:
    """Begins a TLS handshake."""
    client.writer.write(_HALF_HELLO)
    await client.stay()


async def dripping_headers(client: Client) -> None:
    """Sends a head that does not end."""
    client.writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: ")
    await client.stay(b"x")


async def dripping_body(client: Client) -> None:
    """Sends a large body, a byte a second."""
    head = "POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    client.writer.write(f"{head}Authorization: Bearer {client.token}\r\n".encode())
    client.writer.write(b"Content-Length: 4000000\r\n\r\n[")
    await client.stay(b" ")


async def slow_reading(client: Client) -> None:
    """Asks for a large answer, and takes 100 bytes of it a second."""
    head = f"GET /jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {client.token}\r\n\r\n"
    client.writer.write(head.encode())
    while await client.reader.read(100):
        client.arrived()
        await asyncio.sleep(DRIP)


async def idle(client: Client) -> None:
    """Asks just often enough to keep the connection."""
    while True:
        client.writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await client.reader.readuntil(b"}")
        client.arrived()
        with suppress(TimeoutError):
            await asyncio.wait_for(client.reader.read(1), IDLE)
            return


@dataclass(frozen=True, slots=True)
class Attack:
    """A kind of crowd."""

    behave: Callable[[Client], Awaitable[None]]
    size: int = 1000
    tls: bool = True


ATTACKS = {
    "silent": Attack(silent, tls=False),
    "half-hello": Attack(half_hello, tls=False),
    "dripping-headers": Attack(dripping_headers),
    "dripping-body": Attack(dripping_body),
    "slow-reading": Attack(slow_reading),
    "idle": Attack(idle, size=10_000),
}


class Crowd:
    """Keeps as many clients at it as the attack has."""

    def __init__(self, attack: Attack, port: int, token: str) -> None:
        self._attack = attack
        self._port = port
        self._token = token
        self._there: set[int] = set()
        # A crowd that gathers too fast would measure this machine's handshakes.
        self._door = asyncio.Semaphore(16)
        self._context = ssl.create_default_context()
        self._context.check_hostname, self._context.verify_mode = False, ssl.CERT_NONE

    async def attack(self) -> None:
        """Gather, say so, and go on; does not return."""
        clients = [asyncio.create_task(self._client(n)) for n in range(self._attack.size)]
        deadline = time.monotonic() + RAMP
        while len(self._there) < self._attack.size and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        print("reached", len(self._there), flush=True)
        while clients:
            await asyncio.sleep(1.0)
            print(len(self._there), flush=True)

    async def _client(self, number: int) -> None:
        while True:
            writer = None
            try:
                async with self._door:
                    reader, writer = await asyncio.wait_for(self._connect(number), 30)
                await self._attack.behave(
                    Client(reader, writer, lambda: self._there.add(number), self._token)
                )
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                pass  # thrown out
            self._there.discard(number)
            if writer is not None:
                writer.transport.abort()
            await asyncio.sleep(0.2)

    async def _connect(self, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        sock = socket.socket()
        try:
            sock.setblocking(False)
            if self._attack.behave is slow_reading:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _NARROW)
            sock.bind((f"127.0.0.{2 + number // HOME}", 0))
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self._port))
            context = self._context if self._attack.tls else None
            host = "localhost" if self._attack.tls else None
            return await asyncio.open_connection(sock=sock, ssl=context, server_hostname=host, limit=_NARROW)
        except BaseException:
            sock.close()
            raise


def main() -> None:
    """Attack until ended."""
    name, port, token = sys.argv[1:]

    async def attack() -> None:
        await Crowd(ATTACKS[name], int(port), token).attack()

    asyncio.run(attack())


if __name__ == "__main__":
    main()
