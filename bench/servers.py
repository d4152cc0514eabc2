"""Servers as processes of their own, for as long as a block lasts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bench.apps import HEALTHY
from bench.load import Load, client_context, connect
from bench.rig import NotThereError
from bench.running import ROOT
from master import tls
from tests.masters import free_port, start_master

_NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv1.3;
    location / {{ default_type application/json; return 200 '{body}'; }}
  }}
}}
"""
START = 60.0
"""Seconds within which a server must answer."""


class NotServingError(Exception):
    """A server has not come up."""


@dataclass(frozen=True, slots=True)
class Server:
    """One that answers."""

    port: int
    pid: int
    state: Path

    @property
    def token(self) -> str:
        """A master's operator's."""
        return (self.state / "operator.token").read_text().strip()

    def watched(self, driven: Callable[[int], Load]) -> Load:
        """What comes of load on its port, with the CPU time that the server took for it."""
        before = family_cpu(self.pid)
        load = driven(self.port)
        load.server = family_cpu(self.pid) - before
        return load


@contextmanager
def served(kind: str, application: str, folder: Path) -> Iterator[Server]:
    """One of bench/server.py. NotServingError with what it said."""
    port, log, state = free_port(), folder / "server.log", folder / "state"
    command = [sys.executable, "-m", "bench.server", kind, application, str(port), str(state)]
    with _running(command, port, log) as process:
        yield Server(port, process.pid, state)


@contextmanager
def nginx(folder: Path) -> Iterator[Server]:
    """nginx, which answers from memory with one process. NotThereError if there is none."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise NotThereError("nginx (Debian's package; scripts/setup.sh --tests)")
    port, log, state = free_port(), folder / "nginx.log", folder / "state"
    made = tls.ensure_certificates(state, tls.local_names(), datetime.now(UTC))
    settings = _NGINX.format(
        folder=folder, port=port, chain=made.chain, key=made.key, body=HEALTHY.decode().strip()
    )
    (folder / "nginx.conf").write_text(settings)
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(log)]
    with _running(command, port, log) as process:
        yield Server(port, process.pid, state)


@contextmanager
def _running(command: Sequence[str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that answers on `port`, until the block ends. NotServingError with what it said."""
    with log.open("wb") as said:
        # A group of its own, so that a kill reaches its worker too.
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said, start_new_session=True)
    try:
        _wait(process, port, log)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    context, end = client_context(), time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), connect(port, context) as sock:
            sock.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            if sock.recv(4096).startswith(b"HTTP/1.1 200"):
                return
        time.sleep(0.05)
    said = log.read_text(errors="replace").strip().splitlines()[-1:]
    raise NotServingError(f"no answer; its log ends with: {''.join(said)}")


@contextmanager
def a_master(folder: Path, **flags: str) -> Iterator[Server]:
    """A master as users start it, but that nodes need no heartbeats, and jobs come at any rate."""
    terms = {"lease": "1h", "heartbeat_timeout": "1h", "submit_rate": "0", **flags}
    master = start_master(folder / "master", **terms)
    try:
        yield Server(master.port, master.process.pid, master.state_dir)
    finally:
        master.kill()


def family_cpu(pid: int) -> float:
    """Seconds of CPU time of a process and all below it that still run, and of those that have ended."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += sum(each.cpu_times()[:4])
    return total


def family_memory(pid: int) -> int:
    """Bytes that a process and all below it have in memory, without what they share counted twice."""
    process = psutil.Process(pid)
    return sum(each.memory_full_info().pss for each in (process, *process.children(recursive=True)))
