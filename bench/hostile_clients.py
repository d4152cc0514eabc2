"""What crowds of slow and hostile clients do to a master: next to nothing.

    python bench/hostile_clients.py --seconds 15
    python bench/hostile_clients.py --attack slow-reading --baseline gthread

A real master runs with agents that only send heartbeats, and nodes are offline after 10 s of silence.
Each attack of bench/attacks.py is made in turn by another process, and while it stands, /health is asked
ten times a second, each time over a new TLS connection. The same without an attack comes first.
`--baseline gthread` attacks gunicorn's own threaded worker too, with an application that answers the same.
Exit code 1 if /health failed or a node was lost.
"""

from __future__ import annotations

import argparse
import resource
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil
import requests

from bench.attacks import ATTACKS, RAMP
from master import tls
from tests.masters import ROOT, Client, Master, free_port, start_master, wait_until

AGENTS = 5
JOBS = 1000
"""Jobs in the queue: their list is the large answer, about 0.6 MB."""
HEARTBEAT_TIMEOUT = 10.0
PATIENCE = 5.0
"""Seconds after which a question counts as failed."""
_BETWEEN = 0.1


@dataclass(slots=True)
class Target:
    """What is attacked."""

    name: str
    port: int
    token: str
    pid: int
    """The process that serves."""
    master: Master | None = None
    nodes: list[str] = field(default_factory=list)

    def rss(self) -> float:
        """Its memory, in MiB."""
        return float(psutil.Process(self.pid).memory_info().rss) / 2**20


@dataclass(slots=True)
class Measured:
    """What one attack did; times in milliseconds, memory in MiB."""

    target: str
    attack: str
    reached: int
    at_once: float
    """Clients of the attack that were at it, on average; those that were thrown out are on their way back."""
    times: list[float]
    failed: int
    lost: int
    """Nodes that were found offline."""
    rss: float

    def quantile(self, part: float) -> float:
        """NaN if nothing was answered."""
        if len(self.times) < 2:
            return float("nan")
        return statistics.quantiles(self.times, n=1000, method="inclusive")[round(part * 1000) - 1]


class Agents:
    """Sends the heartbeats of all agents, and looks which of them the master takes for dead."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._watch)] if target.nodes else []
        self._threads += [threading.Thread(target=self._beat, args=(node,)) for node in target.nodes]
        self.lost: set[str] = set()

    def __enter__(self) -> Agents:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _beat(self, node: str) -> None:
        with self._client() as client:
            while not self._stop.wait(HEARTBEAT_TIMEOUT / 3):
                # A heartbeat that fails is what the watcher will see.
                try:
                    client.post(f"/nodes/{node}/heartbeat", json={}, timeout=PATIENCE)
                except requests.RequestException as error:
                    print(f"a heartbeat failed: {error}", file=sys.stderr)

    def _watch(self) -> None:
        with self._client() as client:
            while not self._stop.wait(0.5):
                try:
                    nodes = client.get("/nodes", timeout=PATIENCE).json()["nodes"]
                except requests.RequestException as error:
                    print(f"looking at the nodes failed: {error}", file=sys.stderr)
                    continue
                self.lost |= {node["id"] for node in nodes if node["status"] == "offline"}

    def _client(self) -> Client:
        master = self._target.master
        if master is None:
            raise RuntimeError("only a master has nodes")
        return master.client(self._target.token)


def ask(port: int) -> float:
    """Seconds that /health takes over a new TLS connection. Raises OSError."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    begun = time.monotonic()
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as raw,
        context.wrap_socket(raw) as client,
    ):
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        if not client.recv(4096).startswith(b"HTTP/1.1 200 "):
            raise ConnectionError("/health did not answer 200")
    return time.monotonic() - begun


def probe(port: int, seconds: float) -> tuple[list[float], int]:
    """The times of /health in milliseconds, and how many questions failed."""
    times, failed = [], 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            times.append(ask(port) * 1000)
        except OSError:
            failed += 1
        time.sleep(_BETWEEN)
    return times, failed


@contextmanager
def attacked(target: Target, attack: str) -> Iterator[list[int]]:
    """The crowd stands as long as the block lasts. Gives how many reached it, then how many are left."""
    if attack == "none":
        yield [0]
        return
    script = Path(__file__).with_name("attacks.py")
    arguments = [sys.executable, str(script), attack, str(target.port), target.token]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as crowd:
        counts: list[int] = []

        def read() -> None:
            counts.extend(int(line.split()[-1]) for line in crowd.stdout or ())

        reading = threading.Thread(target=read)
        reading.start()
        try:
            wait_until(lambda: counts, "the crowd gathers", RAMP + 30)
            yield counts
        finally:
            crowd.kill()
            reading.join()


def measure(target: Target, attack: str, seconds: float) -> Measured:
    """One attack on `target`."""
    # Heartbeats from before the crowd gathers until after it was measured.
    with Agents(target) as agents, attacked(target, attack) as counts:
        before = len(counts)
        times, failed = probe(target.port, seconds)
        at_once = statistics.fmean(counts[before:] or counts)
        rss = target.rss()
    return Measured(target.name, attack, counts[0], at_once, times, failed, len(agents.lost), rss)


@contextmanager
def the_master(directory: Path) -> Iterator[Target]:
    """A master with agents and jobs."""
    master = start_master(directory / "master", heartbeat_timeout=f"{HEARTBEAT_TIMEOUT:g}s")
    try:
        pid = wait_until(master.worker_pid, "the master has a worker")
        with master.client(master.token) as client:
            nodes = [_register(client, number) for number in range(AGENTS)]
            jobs = [{"scenario": "1080p-h264", "confidence": "auto"}] * JOBS
            client.post("/jobs/batch", json={"jobs": jobs}).raise_for_status()
        yield Target("master", master.port, master.token, pid, master, nodes)
    finally:
        master.stop()


def _register(client: Client, number: int) -> str:
    answer = client.post("/nodes/register", json={"address": f"bench-{number}"})
    answer.raise_for_status()
    return str(answer.json()["id"])


@contextmanager
def gthread(directory: Path) -> Iterator[Target]:
    """gunicorn's own threaded worker, with as many threads as a master has, and a certificate like its."""
    port, made = free_port(), tls.ensure_certificates(directory, tls.local_names(), datetime.now(UTC))
    command = [
        sys.executable, "-m", "gunicorn", "--worker-class=gthread", "--threads=128",
        "--worker-connections=16384", "--keep-alive=75", f"--bind=127.0.0.1:{port}",
        f"--certfile={made.chain}", f"--keyfile={made.key}",
        "--no-control-socket", "--log-level=critical", "bench.plain_app:app",
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            wait_until(lambda: _answers(port), "gunicorn answers")
            worker = psutil.Process(process.pid).children()[0]
            yield Target("gthread", port, "-", worker.pid)
            # It would wait for its clients.
            worker.kill()
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        return bool(ask(port))
    except OSError:
        return False


def report(measured: Measured, quiet: float) -> None:
    """One line of the table; `quiet`: p99 without an attack."""
    p50, p99 = measured.quantile(0.5), measured.quantile(0.99)
    most = max(measured.times, default=float("nan"))
    print(
        f"{measured.target:8} {measured.attack:17} {measured.reached:7} {measured.at_once:7.0f}"
        f" {p50:8.1f} {p99:8.1f} {most:8.1f} {p99 / quiet:7.1f} {measured.failed:6} {measured.lost:6}"
        f" {measured.rss:8.0f}",
        flush=True,
    )


def main() -> int:
    """Attack, print the table; 1 if the master failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=15.0, help="that each attack is measured")
    parser.add_argument("--attack", choices=sorted(ATTACKS), help="only this one")
    parser.add_argument("--baseline", choices=["gthread"], help="attack this too")
    arguments = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    chosen = [arguments.attack] if arguments.attack else list(ATTACKS)
    print(
        f"{'':8} {'attack':17} {'reached':>7} {'at once':>7} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8}"
        f" {'/ quiet':>7} {'failed':>6} {'lost':>6} {'RSS MiB':>8}"
    )
    sound = True
    with tempfile.TemporaryDirectory() as name:
        targets = [the_master] if arguments.baseline is None else [the_master, gthread]
        for start in targets:
            quiet = float("nan")
            for attack in ["none", *chosen]:
                # Each attack on a server of its own, so that its memory is that of this attack.
                with tempfile.TemporaryDirectory(dir=name) as directory, start(Path(directory)) as target:
                    measured = measure(target, attack, arguments.seconds)
                quiet = measured.quantile(0.99) if attack == "none" else quiet
                report(measured, quiet)
                sound &= target.name != "master" or not (measured.failed or measured.lost)
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
