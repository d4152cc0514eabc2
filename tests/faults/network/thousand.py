"""Very many agents as a master sees them: they poll, send heartbeats and back off as the real one does."""

from __future__ import annotations

import asyncio
import json
import random
import resource
import ssl
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.link import MAX_DELAY, MIN_DELAY
from agent.loop import POLL_WAIT
from common.client import CONNECT_TIMEOUT, READ_TIMEOUT

POLL_INTERVAL = 10.0
"""Seconds, the agent's default."""
REGISTER_AT_ONCE = 50


class Line:
    """A connection that is kept, and made anew when it broke."""

    def __init__(self, port: int, context: ssl.SSLContext, credential: str) -> None:
        self._port = port
        self._context = context
        self._credential = credential
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, body: Any = None, wait: float = 0.0
    ) -> tuple[int, dict[str, Any]]:
        """Status and document; OSError (also TimeoutError) or EOFError if none came."""
        try:
            reader, writer = await self._open()
            content = b"" if body is None else json.dumps(body).encode()
            lines = [
                f"{method} {path} HTTP/1.1",
                "Host: localhost",
                f"Authorization: Bearer {self._credential}",
                "Content-Type: application/json",
                f"Content-Length: {len(content)}",
            ]
            writer.write("\r\n".join([*lines, "", ""]).encode() + content)
            async with asyncio.timeout(READ_TIMEOUT + wait):
                return await _answer(reader)
        except BaseException:
            self._close()
            raise

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            self._close()
            async with asyncio.timeout(CONNECT_TIMEOUT):
                self._streams = await asyncio.open_connection(
                    "127.0.0.1", self._port, ssl=self._context, server_hostname="localhost"
                )
        return self._streams

    def _close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
        self._streams = None


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, Any]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    content = await reader.readexactly(int(fields["content-length"]))
    return int(head.split(" ", 2)[1]), json.loads(content)


class SmallAgent:
    """A node that keeps each job it is given."""

    def __init__(self, port: int, context: ssl.SSLContext, heartbeat_interval: float) -> None:
        self._id = str(uuid.uuid4())
        self._credential = uuid.uuid4().hex * 2
        self._interval = heartbeat_interval
        self._leases: list[str] = []
        self._polls, self._beats = (Line(port, context, self._credential) for _ in range(2))

    async def register(self, operator: Line) -> None:
        sent = {"id": self._id, "address": self._id[:8], "credential": self._credential, "instance": self._id}
        status, document = await operator.ask("POST", "/nodes/register", sent)
        assert status == 201, document

    async def live(self) -> None:
        await asyncio.gather(self._take_jobs(), self._send_heartbeats())

    async def _take_jobs(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            asked_at = clock()
            job = await self._persist_poll()
            if job is not None:
                self._leases.append(job["lease_id"])
            elif clock() - asked_at < POLL_WAIT / 2:
                await asyncio.sleep(random.uniform(0.5, 1.0) * POLL_INTERVAL)

    async def _persist_poll(self) -> dict[str, Any] | None:
        delay = MIN_DELAY
        while True:
            try:
                query = f"node_id={self._id}&wait={POLL_WAIT:g}&leases={','.join(self._leases)}"
                status, document = await self._polls.ask("GET", f"/jobs/next?{query}", wait=POLL_WAIT)
            except (OSError, EOFError):
                status = 503
            if status < 500:
                assert status == 200, document
                job: dict[str, Any] | None = document["job"]
                return job
            await asyncio.sleep(random.uniform(delay / 2, delay))
            delay = min(MAX_DELAY, delay * 2)

    async def _send_heartbeats(self) -> None:
        await asyncio.sleep(random.uniform(0.0, self._interval))
        while True:
            with suppress(OSError, EOFError):  # the next one will be heard
                await self._beats.ask("POST", f"/nodes/{self._id}/heartbeat", {"leases": self._leases})
            await asyncio.sleep(self._interval)


def run(count: int, port: int, ca: Path, token: str, heartbeat_interval: float) -> None:
    """Be `count` agents, in a process of their own, until it is ended."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(_run(count, port, ca, token, heartbeat_interval))


async def _run(count: int, port: int, ca: Path, token: str, heartbeat_interval: float) -> None:
    context = ssl.create_default_context(cafile=str(ca))
    agents = [SmallAgent(port, context, heartbeat_interval) for _ in range(count)]
    for first in range(0, count, REGISTER_AT_ONCE):
        operators = [Line(port, context, token) for _ in range(REGISTER_AT_ONCE)]
        batch = agents[first : first + REGISTER_AT_ONCE]
        await asyncio.gather(*(agent.register(line) for agent, line in zip(batch, operators, strict=False)))
    await asyncio.gather(*(agent.live() for agent in agents))
