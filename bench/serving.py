"""Our worker class beside gunicorn's threaded one: the same applications, certificates and clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.apps import JOB
from bench.load import Load, again_and_again, drive, request
from bench.reconnect import Reconnecting
from bench.rig import Look, Row, Sample, Subject, Target
from bench.servers import nginx, served

CLIENTS = 8
"""Connections that ask at once: as many as the threaded worker has threads."""
GTHREAD, PINNED, CACHED = "gthread", "gthread on one core", "gthread with one TLS context"
_KINDS = {GTHREAD: "gthread", PINNED: "pinned", CACHED: "cached"}
_GET = request("GET", "/health")
_POST = request("POST", "/jobs", JOB)
Driven = Callable[[int, float], Load]
"""From a port and seconds to what came of it."""


@contextmanager
def _limit(seconds: float, folder: Path) -> Iterator[Look]:
    """What the generator can ask of nginx."""
    with nginx(folder) as server:
        yield lambda: server.watched(lambda port: _asking(_GET)(port, seconds)).sample()


@contextmanager
def _opened(
    kind: str, application: str, driven: Driven, seconds: float, cost: bool, folder: Path
) -> Iterator[Look]:
    with served(kind, application, folder) as server:
        driven(server.port, min(1.0, seconds))  # modules are loaded, and caches are filled

        def look() -> Sample:
            load = server.watched(lambda port: driven(port, seconds))
            return load.sample(load.cost if cost else None)

        yield look


def _asking(data: bytes) -> Driven:
    return lambda port, seconds: drive(port, [again_and_again(data) for _ in range(CLIENTS)], seconds)


def _connecting(port: int, seconds: float) -> Load:
    return Reconnecting(port, request("GET", "/health", close=True)).drive(CLIENTS, seconds)


def rows(quick: bool) -> list[Row]:
    """Requests and connections a second."""
    seconds = 0.5 if quick else 3.0

    def subject(name: str, kind: str, application: str, driven: Driven, cost: bool = False) -> Subject:
        return Subject(name, partial(_opened, kind, application, driven, seconds, cost))

    def row(key: str, title: str, application: str, driven: Driven, least: float, *others: str) -> Row:
        against = tuple(subject(each, _KINDS[each], application, driven) for each in (GTHREAD, *others))
        unit = "connections/s" if driven is _connecting else "requests/s"
        return Row(
            key, title, unit, subject("ours", "ours", application, driven), against,
            (Target(least=least, against=GTHREAD),), note=f"{CLIENTS} clients.",
        )  # fmt: skip

    bare = subject("our bare application", "ours", "bare", _asking(_GET))
    return [
        Row(
            "serving-generator", "The load generator's own limit: nginx", "requests/s",
            Subject("nginx", partial(_limit, seconds)), (bare,), (Target(least=1.5, against=bare.name),),
            note="nginx answers from memory, in one process. What is below is ours while this is higher.",
        ),
        row("serving-bare", "Bare WSGI application", "bare", _asking(_GET), 4.0, PINNED, CACHED),
        row("serving-flask", "Bare Flask route", "flask", _asking(_GET), 2.5, PINNED, CACHED),
        row("serving-marshmallow", "POST that marshmallow checks", "flask", _asking(_POST), 2.5, PINNED),
        row("serving-connections", "New connections", "bare", _connecting, 2.5, CACHED),
        Row(
            "serving-connections-cpu", "New connections, the server's CPU time", "us",
            subject("ours", "ours", "bare", _connecting, cost=True),
            (
                subject(GTHREAD, "gthread", "bare", _connecting, cost=True),
                subject(CACHED, "cached", "bare", _connecting, cost=True),
            ),
            (Target(most=0.4, against=GTHREAD),),
            better="less",
            note=(
                "Each connection is a full handshake with an EC key, one request, and the end. A client's "
                "half costs more than the server's, so on few cores the rate is that of the clients; what "
                "the server takes for each is not touched by that."
            ),
        ),
    ]  # fmt: skip
