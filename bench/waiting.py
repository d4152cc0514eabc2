"""Agents that wait for a job: what they do to others, what they cost, and how soon one of them gets it."""

from __future__ import annotations

import json
import resource
import select
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from bench.apps import JOB
from bench.load import RETRY, Answer, again_and_again, client_context, connect, drive, parsed, request
from bench.playing import Played, asked, nodes
from bench.rig import Look, NotThereError, Sample, quantile
from bench.servers import Server, a_master, family_memory

AGENTS = 1000
WAIT = 60.0
"""Seconds for which each waits: the most that a master allows."""
SETTLE = 1.0
"""Seconds in which a master answers a poll that it does not park."""
ASKING = 2
"""Clients that ask meanwhile."""
LATE = 10.0
"""Seconds after which a job that nobody was given is a mistake."""
ALONE = 0.02
"""Seconds in which others would be woken too."""


class Crowd:
    """Connections of nodes, each of which has asked for a job and waits."""

    def __init__(self, server: Server, players: Sequence[Played]) -> None:
        self._server = server
        self._players = players
        self._poll = select.epoll()
        self._waiting: dict[int, tuple[ssl.SSLSocket, Played]] = {}

    def __enter__(self) -> Self:
        context = client_context()
        for player in self._players:
            sock = connect(self._server.port, context)
            self._waiting[sock.fileno()] = (sock, player)
            self._poll.register(sock.fileno(), select.EPOLLIN)
            self.ask(sock, player)
        return self

    def __exit__(self, *_: object) -> None:
        self._poll.close()
        for waiting in self._waiting.values():
            waiting[0].close()

    def ask(self, sock: ssl.SSLSocket, player: Played) -> None:
        """Let it wait."""
        sock.setblocking(True)
        sock.sendall(player.poll(f"&wait={WAIT:g}"))
        sock.setblocking(False)

    def answered(self, seconds: float) -> list[tuple[ssl.SSLSocket, Played, Answer]]:
        """Those that are answered first; none if that takes longer."""
        end = time.perf_counter() + seconds
        found: list[tuple[ssl.SSLSocket, Played, Answer]] = []
        while not found and (left := end - time.perf_counter()) > 0:
            for number, _ in self._poll.poll(left):
                sock, player = self._waiting[number]
                with suppress(*RETRY):  # a session ticket is no answer
                    answer = parsed(sock.recv(65536))
                    if answer is not None:
                        found.append((sock, player, answer))
        return found

    def must_be_parked(self) -> None:
        """NotThereError if some were answered at once."""
        found = self.answered(SETTLE)
        if found:
            raise NotThereError(f"this master does not park {len(self._players)} polls")


def many_files() -> None:
    """Let this process have as many connections as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextmanager
def _master(agents: int, folder: Path) -> Iterator[tuple[Server, list[Played]]]:
    """A master with nodes, all of which it can park."""
    many_files()
    with a_master(folder) as server:
        players = nodes(server, agents, slots=1)
        with Crowd(server, players) as crowd:
            crowd.must_be_parked()
        yield server, players


@contextmanager
def others(agents: int, seconds: float, folder: Path) -> Iterator[Look]:
    """The p99 of others, in milliseconds."""
    data = request("GET", "/health")
    with _master(agents, folder) as (server, players):

        def look() -> Sample:
            before = family_memory(server.pid)
            with Crowd(server, players):
                time.sleep(SETTLE)
                held = family_memory(server.pid) - before
                load = server.watched(
                    lambda port: drive(port, [again_and_again(data) for _ in range(ASKING)], seconds)
                )
            found = load.sample(1000 * quantile(load.times, 0.99))
            if not agents:
                return found
            return Sample(found.value, {**found.more, "memory of each poll, KiB": held / agents / 1024})

        yield look


@contextmanager
def woken(agents: int, jobs: int, folder: Path) -> Iterator[Look]:
    """The p99 of the milliseconds from a job's submission until a waiting node has it."""
    with _master(agents, folder) as (server, players):
        yield lambda: _wake(server, players, jobs)


def _wake(server: Server, players: Sequence[Played], jobs: int) -> Sample:
    submit, woken = request("POST", "/jobs", JOB, server.token), 0
    times: list[float] = []
    with Crowd(server, players) as crowd, connect(server.port, client_context()) as submitter:
        crowd.must_be_parked()
        for _ in range(jobs):
            began = time.perf_counter()
            submitter.sendall(submit)
            found = crowd.answered(LATE)
            times.append(time.perf_counter() - began)
            found += crowd.answered(ALONE)
            woken += len(found)
            parsed(submitter.recv(65536))
            _finish(server, crowd, found)
    middle = 1000 * quantile(times, 0.5)
    return Sample(1000 * quantile(times, 0.99), {"p50, ms": middle, "woken for each job": woken / jobs})


def _finish(server: Server, crowd: Crowd, found: Sequence[tuple[ssl.SSLSocket, Played, Answer]]) -> None:
    """Report what they got, and let them wait again."""
    given = 0
    for sock, player, answer in found:
        job: dict[str, Any] | None = json.loads(answer.body)["job"]
        if job is not None:
            given += 1
            sent = json.dumps(player.report(job)).encode()
            asked(server, request("POST", "/results", sent, player.credential))
        crowd.ask(sock, player)
    if given != 1:
        raise RuntimeError(f"a job was given to {given} nodes")
