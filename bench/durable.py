"""One master with its journal on a disk: requests, whole cycles, and agents that wait."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from bench.apps import JOB
from bench.load import Load, Script, again_and_again, drive, request
from bench.playing import Played, carried, in_batches, must_know, nodes, one_by_one
from bench.rig import Look, Row, Sample, Subject, Target
from bench.servers import Server, a_master, served

CLIENTS = 4
ROUTE, GTHREAD = "bare Flask route, same server", "the same application on gthread"
PINNED, CACHED = "the same on gthread, one core", "the same on gthread, one TLS context"
Cycle = Callable[[str, Played, Callable[[int], None]], Script]
Opened = Callable[[Path], AbstractContextManager[Server]]


@contextmanager
def _requests(opened: Opened, ask: Callable[[Server], bytes], seconds: float, folder: Path) -> Iterator[Look]:
    """The same request again and again."""
    with opened(folder) as server:
        data = ask(server)

        def driven(port: int, long: float = seconds) -> Load:
            return drive(port, [again_and_again(data) for _ in range(2 * CLIENTS)], long)

        driven(server.port, min(1.0, seconds))
        yield lambda: server.watched(driven).sample()


@contextmanager
def _cycles(opened: Opened, cycle: Cycle, query: str, seconds: float, folder: Path) -> Iterator[Look]:
    """Whole cycles of jobs."""
    with opened(folder) as server:
        players = nodes(server, CLIENTS)
        if query:
            must_know(server, players[0], query)
        token = server.token

        def look(long: float = seconds) -> Sample:
            done = [0]

            def count(more: int) -> None:
                done[0] += more

            load = server.watched(lambda port: drive(port, [cycle(token, n, count) for n in players], long))
            found = load.sample(done[0] / load.seconds)
            cost = 1e6 * (load.server or 0.0) / max(1, done[0])
            return Sample(found.value, {**found.more, "server's CPU for a job, us": cost})

        look(min(1.0, seconds))
        yield look


def _health(_: Server) -> bytes:
    return request("GET", "/health")


def _submit(server: Server) -> bytes:
    return request("POST", "/jobs", JOB, server.token)


def _heartbeat(server: Server) -> bytes:
    (node,) = nodes(server, 1)
    return request("POST", f"/nodes/{node.id}/heartbeat", json.dumps({}).encode(), node.credential)


def _empty_next(server: Server) -> bytes:
    (node,) = nodes(server, 1)
    return node.poll()


def _on(kind: str, application: str) -> Opened:
    return partial(served, kind, application)


def _asked(quick: bool) -> list[Row]:
    """Single requests."""
    seconds = 0.5 if quick else 3.0

    def subject(name: str, opened: Opened, ask: Callable[[Server], bytes]) -> Subject:
        return Subject(name, partial(_requests, opened, ask, seconds))

    def row(key: str, title: str, ask: Callable[[Server], bytes]) -> Row:
        against = (
            subject(ROUTE, _on("ours", "flask"), _health),
            subject(GTHREAD, _on("gthread", "master"), ask),
        )
        target = Target(least=0.9, against=ROUTE)
        return Row(key, title, "requests/s", subject("ours", a_master, ask), against, (target,))

    health = "GET /health of this master"
    submits = (
        subject(health, a_master, _health),
        subject(GTHREAD, _on("gthread", "master"), _submit),
        subject(PINNED, _on("pinned", "master"), _submit),
        subject(CACHED, _on("cached", "master"), _submit),
    )
    return [
        row("master-health", "`GET /health`", _health),
        row("master-heartbeat", "A heartbeat", _heartbeat),
        row("master-next", "`GET /jobs/next` without a job", _empty_next),
        Row(
            "master-submit", "Durable `POST /jobs`", "jobs/s", subject("ours", a_master, _submit), submits,
            (Target(least=0.6, against=health),), note="Validated, and synced to the disk before the answer.",
        ),
    ]  # fmt: skip


def _cycled(quick: bool) -> list[Row]:
    """Whole cycles."""
    seconds = 1.0 if quick else 6.0
    note = f"{CLIENTS} clients; each answer is on the disk before it is sent."

    def subject(name: str, opened: Opened, cycle: Cycle, query: str = "") -> Subject:
        return Subject(name, partial(_cycles, opened, cycle, query, seconds))

    gthread = subject(GTHREAD, _on("gthread", "master"), one_by_one)
    return [
        Row(
            "cycles-one", "Submit, claim, result; one by one", "jobs/s",
            subject("ours", a_master, one_by_one),
            (gthread, subject(PINNED, _on("pinned", "master"), one_by_one)),
            (Target(least=2.5, against=GTHREAD),), note=note,
        ),
        Row(
            "cycles-next", "The same, the result carries the next claim", "jobs/s",
            subject("ours", a_master, carried, "&max=1"), (gthread,),
            (Target(least=1200), Target(least=2.5, against=GTHREAD)), note=note,
        ),
        Row(
            "cycles-batch", "Submit, claim, result; in batches of 100", "jobs/s",
            Subject("ours", batches(quick)), (gthread,), (Target(least=15_000),), note=note,
        ),
    ]  # fmt: skip


def batches(quick: bool) -> Callable[[Path], AbstractContextManager[Look]]:
    """Our cycles in batches, as a subject that others are compared with."""
    # Long enough for several batches, also on a slow machine.
    return partial(_cycles, a_master, in_batches, "&max=1", 3.0 if quick else 6.0)


def rows(quick: bool) -> list[Row]:
    """Requests, cycles, and agents that wait."""
    return [*_asked(quick), *_cycled(quick)]
