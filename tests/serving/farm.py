"""The master's serving side, around a small application that can be observed: run as a process."""

from __future__ import annotations

import gc
import hashlib
import json
import logging
import os
import resource
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common.problems import UNAVAILABLE
from master import server, tls
from master.config import Config
from master.errors import StartError
from master.pauses import Bell, Pause, Steps
from master.worker import FarmWorker
from master.worker.admission import KNOWN_CALLER
from master.worker.loop import Loop
from master.worker.parked import begin
from master.worker.stages import Patience
from master.worker.stream import Stream

LARGE = 4 * 1024 * 1024
"""Bytes of a large answer: more than the buffers between two sockets take."""
PIECE = 64 * 1024
SLOW = ("/later-slowly", "/park", "/large", "/pieces", "/stream", "/endless")


class SmallStream(Stream):
    """Says how often it was rung, and that it lives; or, `endless`, as much as is taken."""

    def __init__(self, runtime: SmallRuntime, *, endless: bool) -> None:
        super().__init__()
        self._runtime = runtime
        self._endless = endless
        self._said = runtime.rung

    def opened(self) -> None:
        self._runtime.streams.add(self)

    def closed(self) -> None:
        self._runtime.streams.discard(self)

    def take(self, *, beat: bool) -> bytes | None:
        if self._runtime.stopping.is_set():
            return None
        if self._endless:
            self._runtime.made += PIECE
            return b"x" * PIECE
        rung, said, self._said = self._runtime.rung, self._said, self._runtime.rung
        return b"r" * (rung - said) or (b"." if beat else b"")


class SmallTicket:
    """Of an answer that depends on the disk if it says so."""

    def __init__(self, runtime: SmallRuntime) -> None:
        self._runtime = runtime
        self.depends = False

    @property
    def settled(self) -> bool:
        if self.depends and self._runtime.disk == "fails":
            raise UNAVAILABLE("The disk failed.")
        return not self.depends or self._runtime.disk == "syncs"


@dataclass
class SmallRuntime:
    state_dir: Path
    ssl_context: ssl.SSLContext

    def __post_init__(self) -> None:
        self.stopping = threading.Event()
        self.parked = 0
        self.made = 0
        self.asked: list[str] = []
        self.rung = 0
        self.streams: set[SmallStream] = set()
        self.disk = "waits"
        self.bells: list[Bell] = []
        self.hear: Callable[[], None] = lambda: None
        self.ticket = SmallTicket(self)

    def app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.asked.append(path)
        environ[KNOWN_CALLER] = "HTTP_AUTHORIZATION" in environ
        if path in ("/large", "/pieces"):
            start_response("200 OK", [("Content-Length", str(LARGE))])
            return [b"x" * LARGE] if path == "/large" else self.pieces()
        if path in ("/stream", "/endless"):
            start_response("200 OK", [])
            return SmallStream(self, endless=path == "/endless")
        if path in ("/breaks", "/later", "/later-slowly"):
            return self.unusual(path, start_response)
        self.about_the_disk(path)
        reply: dict[str, Any] = {"ignored": True} if path == "/ignore" else {"status": "healthy"}
        if path == "/park":
            self.parked += 1
            self.stopping.wait(60)
        elif path == "/count":
            # gunicorn's first process, from which this one was forked, knows the one before it, too.
            workers = (each for each in gc.get_objects() if isinstance(each, FarmWorker))
            worker = next(each for each in workers if each.pid == os.getpid())
            reply = {"parked": self.parked, "pid": os.getpid(), "scheme": environ["wsgi.url_scheme"]}
            reply |= {"connections": worker.occupancy().connections, "made": self.made, "asked": self.asked}
            reply |= {
                "streams": len(self.streams),
                "waiting": len(self.bells),
                "busy": worker.tpool._work_queue.qsize(),
            }
        elif path == "/ring":
            self.rung += 1
            self._wake_all()
        elif path == "/echo":
            body = environ["wsgi.input"].read()
            reply = {"length": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        elif path == "/fatal":
            os._exit(server.HALT)
        elif path == "/renew":
            self.ssl_context.load_cert_chain(
                self.state_dir / "tls/server-chain.pem", self.state_dir / "tls/server-key.pem"
            )
        body = json.dumps(reply).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK", [*headers, ("X-Client-Port", environ["REMOTE_PORT"])])
        return [body]

    def is_slow(self, environ: dict[str, Any]) -> bool:
        return environ["PATH_INFO"] in SLOW

    def open_ticket(self) -> SmallTicket:
        self.ticket = SmallTicket(self)
        return self.ticket

    def on_settled(self, hearer: Callable[[], None], loop: Loop) -> None:
        self.hear = lambda: loop.call(hearer)

    def about_the_disk(self, path: str) -> None:
        if path == "/durable":
            self.ticket.depends = True
        elif path in ("/syncs", "/fails"):
            self.disk = path[1:]
            self.hear()
        elif path == "/bell":
            while self.bells:
                self.bells.pop().ring()

    def unusual(self, path: str, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if path != "/breaks":
            return begin(self.steps(start_response))
        self.ticket.depends = True
        start_response("200 OK", [])
        return self.broken_off()

    def steps(self, start_response: Callable[..., Any]) -> Steps[Iterable[bytes]]:
        for _ in range(2):
            self.bells.append(Bell())
            yield Pause(self.bells[-1], 30.0)
        start_response("200 OK", [("Content-Length", "1")])
        return [b"}"]

    def broken_off(self) -> Iterator[bytes]:
        yield b"x"
        raise ValueError("it breaks off")

    def pieces(self) -> Iterator[bytes]:
        for _ in range(LARGE // PIECE):
            self.made += PIECE
            yield b"x" * PIECE

    def begin_shutdown(self) -> None:
        self.stopping.set()
        self._wake_all()

    def _wake_all(self) -> None:
        for stream in list(self.streams):
            stream.wake()

    def close(self) -> None:
        (self.state_dir / f"closed-{os.getpid()}").touch()


def start(config: Config) -> SmallRuntime:
    refusal = config.state_dir / "refuse"
    if refusal.exists():
        raise StartError(refusal.read_text())
    while (config.state_dir / "wait").exists():
        (config.state_dir / "waiting").touch()
        time.sleep(0.05)
    folder = config.state_dir / "tls"
    if not (config.state_dir / "keep").exists():
        tls.ensure_certificates(config.state_dir, tls.local_names(), datetime.now(UTC))
    context = tls.server_context(folder / "server-chain.pem", folder / "server-key.pem")
    return SmallRuntime(config.state_dir, context)


def main(
    state_dir: Path, host: str, port: int, threads: int, haste: int, files: int, per_address: int, held: int
) -> None:
    """The process; see `Server`."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    usual = asdict(Patience())
    rate = usual.pop("rate")
    hasty = {name: value / haste for name, value in usual.items()}
    FarmWorker.max_held = held
    FarmWorker.patience = Patience(**hasty, rate=rate)
    logging.basicConfig(level="INFO", format="%(levelname)s %(message)s")
    config = Config(
        state_dir=state_dir, host=host, port=port, threads=threads, max_connections_per_address=per_address
    )
    try:
        listener = server.bind(config)
    except StartError as error:
        sys.stderr.write(f"master: {error}\n")
        sys.exit(1)
    sys.exit(server.serve(config, listener, start))
