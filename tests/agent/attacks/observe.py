"""What a child really opens and connects to, as the kernel sees it (strace); and a canary for the network."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.ffmpeg.limits import Limits
from agent.ffmpeg.spawner import Spawner
from tests.parts import missing

_USUAL = Limits()
_CALL = re.compile(r'^\d+ +(open|openat|openat2|execve)\([^"]*"((?:[^"\\]|\\.)*)"', re.MULTILINE)
_NETWORK = re.compile(r"^\d+ +(?:connect|socket)\(.*AF_INET.*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a program did from its start on."""

    opened: frozenset[str]
    """Paths, whether that worked or not."""
    network: tuple[str, ...]
    """Calls that have to do with the internet."""
    executed: tuple[str, ...]
    """Programs that it became."""


class TracedSpawner(Spawner):
    """Each child runs under strace, which writes what it saw into `directory`."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        strace = shutil.which("strace")
        if strace is None:
            missing("strace is not installed")
        self._strace, self._directory = strace, directory
        self._traces: list[Path] = []

    def spawn(
        self,
        argv: Sequence[str],
        cwd: Path,
        limits: Limits = _USUAL,
        descriptors: Sequence[int] = (),
        *,
        greets: bool = False,
    ) -> subprocess.Popen[bytes]:
        """As the real one; the trace is a file too, and must not end at the child's limit of file size."""
        trace = self._directory / f"trace-{len(self._traces)}"
        self._traces.append(trace)
        options = ["-f", "-qq", "-s", "4096", "-e", "trace=open,openat,openat2,connect,socket,execve"]
        traced = [self._strace, *options, "-o", str(trace), "--", *argv]
        return super().spawn(traced, cwd, replace(limits, output_bytes=2**40), descriptors, greets=greets)

    def seen(self, program: str) -> list[Seen]:
        """What each child did as `program` since the last call: not what its sandbox did."""
        found = []
        for trace in self._traces:
            text = trace.read_text("utf-8", "replace") if trace.exists() else ""
            start = re.search(rf'^\d+ +execve\("[^"]*{re.escape(program)}[^"]*"', text, re.MULTILINE)
            if start is not None:
                found.append(_parse(text[start.end() :]))
            trace.unlink(missing_ok=True)
        self._traces.clear()
        return found


def _parse(text: str) -> Seen:
    calls = _CALL.findall(text)
    return Seen(
        frozenset(path for call, path in calls if call != "execve"),
        tuple(_NETWORK.findall(text)),
        tuple(path for call, path in calls if call == "execve"),
    )


@dataclass
class Listener:
    """A server on loopback that counts who connects, and answers nobody."""

    port: int
    connections: list[str] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Listener]:
    """A canary for the network."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = Listener(server.getsockname()[1])

        def count() -> None:
            with suppress(OSError):
                while True:
                    connection, peer = server.accept()
                    listener.connections.append(str(peer))
                    connection.close()

        thread = threading.Thread(target=count, daemon=True)
        thread.start()
        try:
            yield listener
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
