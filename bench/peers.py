"""General job queues for Python beside our batches: RQ, Celery, Dramatiq and huey, with jobs that do nothing.

They are installed below build/, with the versions of bench/queues/requirements.txt. Redis is Debian's
(scripts/setup.sh --bench); each queue has one of its own, which syncs once a second or for each command.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.durable import batches
from bench.rig import Look, NotThereError, Row, Sample, Subject, Target
from bench.running import ROOT
from tests.masters import free_port

REQUIREMENTS = ROOT / "bench/queues/requirements.txt"
ENVIRONMENT = ROOT / "build/bench-queues"
START = 30.0
"""Seconds within which a server must be there."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A queue, with one worker that does one job at a time."""

    key: str
    name: str
    module: str
    worker: tuple[str, ...]
    """The command in its environment."""
    jobs: int
    """So many are submitted for each look; about two seconds' worth."""
    kept: str
    """What becomes of a job when its worker dies."""
    redis: bool = True


PEERS = (
    Peer(
        "rq", "RQ", "rq", ("rq", "worker", "--url", "{redis}", "--logging_level", "ERROR"), 200,
        "The worker forks for each job, as it comes. A job whose worker dies is found and failed later.",
    ),
    Peer(
        "celery", "Celery", "celery",
        ("celery", "-A", "bench.queues.celery_queue", "worker", "-c", "1", "-l", "ERROR"), 1000,
        "Acknowledged late (`acks_late`): a job whose worker dies is given out again.",
    ),
    Peer(
        "dramatiq", "Dramatiq", "dramatiq",
        ("dramatiq", "bench.queues.dramatiq_queue", "-p", "1", "-t", "1", "--skip-logging"), 1000,
        "Acknowledged when done: a job whose worker dies is given out again.",
    ),
    Peer(
        "huey-redis", "huey on Redis", "huey",
        ("huey_consumer", "bench.queues.huey_queue.huey", "-w", "1", "--quiet"), 2000,
        "A job is off the queue when it begins: with its worker it is lost.",
    ),
    Peer(
        "huey-sqlite", "huey on SQLite", "huey",
        ("huey_consumer", "bench.queues.huey_queue.huey", "-w", "1", "--quiet"), 2000,
        "A job is off the queue when it begins: with its worker it is lost.", redis=False,
    ),
)  # fmt: skip


def environment() -> Path:
    """The directory of the queues' programs; installed if need be. NotThereError if that fails."""
    stamp, wanted = ENVIRONMENT / "stamp", REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True, capture_output=True)
            pip = [
                str(ENVIRONMENT / "bin/python"),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-input",
                "--no-deps",
            ]
            subprocess.run([*pip, "--requirement", str(REQUIREMENTS)], check=True, capture_output=True)
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise NotThereError(f"the queues could not be installed: {''.join(said)}") from error
        stamp.write_text(wanted)
    return ENVIRONMENT / "bin"


@contextmanager
def redis_server(folder: Path, sync: str) -> Iterator[str]:
    """A Redis with an append-only file that is synced `everysec` or `always`; its URL."""
    program = shutil.which("redis-server")
    if program is None:
        raise NotThereError("redis-server (Debian's package; scripts/setup.sh --bench)")
    port = free_port()
    command = [
        program, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", "",
        "--appendonly", "yes", "--appendfsync", sync, "--daemonize", "no", "--logfile", "redis.log",
    ]  # fmt: skip
    with _process(command, folder, "redis", {}):
        end = time.monotonic() + START
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def _process(command: list[str], folder: Path, name: str, more: dict[str, str]) -> Iterator[None]:
    with (folder / f"{name}.log").open("wb") as log:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env=environment, start_new_session=True
        )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


@contextmanager
def opened(peer: Peer, sync: str | None, share: float, folder: Path) -> Iterator[Look]:
    """Jobs a second, from the first submit until the last result. `share` of its jobs."""
    programs = environment()
    with ExitStack() as stack:
        url = "" if sync is None else stack.enter_context(redis_server(folder, sync))
        more = {"BENCH_REDIS": url} if url else {}
        worker = [str(programs / peer.worker[0]), *(word.format(redis=url) for word in peer.worker[1:])]
        stack.enter_context(_process(worker, folder, "worker", more))
        client = stack.enter_context(_client(programs, peer, folder, more))
        jobs = max(20, round(peer.jobs * share))

        def look() -> Sample:
            return Sample(jobs / float(_answer(client, folder, f"{jobs}\n")))

        if _answer(client, folder) != "ready":
            raise RuntimeError(f"{peer.name} does not work")
        look()
        yield look


@contextmanager
def _client(
    programs: Path, peer: Peer, folder: Path, more: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    command = [str(programs / "python"), "-m", "bench.queues.client", peer.module]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    with (folder / "client.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.kill()


def _answer(client: subprocess.Popen[str], folder: Path, line: str = "") -> str:
    """What the client says to a line."""
    if client.stdin is None or client.stdout is None:
        raise RuntimeError("the client has no pipes")
    client.stdin.write(line)
    client.stdin.flush()
    said = client.stdout.readline().strip()
    if not said:
        raise RuntimeError(f"the client ended: {(folder / 'client.log').read_text()[-300:]}")
    return said


def rows(quick: bool) -> list[Row]:
    """Our batches beside each of them."""
    share = 0.1 if quick else 1.0
    found = []
    for peer in PEERS:
        syncs = ("everysec", "always") if peer.redis else (None,)
        against = tuple(Subject(_named(peer, sync), partial(opened, peer, sync, share)) for sync in syncs)
        targets = tuple(Target(least=1.0, against=each.name) for each in against)
        found.append(
            Row(
                f"queues-{peer.key}", f"Ours in batches of 100, beside {peer.name}", "jobs/s",
                Subject("ours", batches(quick)), against, targets,
                note=f"One worker, one client that submits one after the other, results kept. {peer.kept}",
            )
        )  # fmt: skip
    return found


def _named(peer: Peer, sync: str | None) -> str:
    how = {
        "everysec": "Redis syncs once a second",
        "always": "Redis syncs each command",
        None: "synced each time",
    }
    return f"{peer.name}, {how[sync]}"
