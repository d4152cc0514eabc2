"""The load generator counts what a real master answered, and the cycles that it plays are whole ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.load import Script, drive, request
from bench.playing import asked, nodes, one_by_one
from bench.reconnect import Reconnecting
from bench.servers import Server
from tests.masters import patient_master


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("bench") / "master"
    with patient_master(folder) as running:
        yield Server(running.port, running.process.pid, running.state_dir)


def some(times: int) -> Script:
    for _ in range(times):
        yield request("GET", "/health")


def test_every_answer_is_counted_once_and_the_run_ends_with_the_last_script(server: Server) -> None:
    load = server.watched(lambda port: drive(port, [some(3), some(2)], 60.0))
    assert len(load.times) == 5
    assert load.seconds < 60
    assert load.server is not None
    assert load.sample().more.keys() >= {"p50, ms", "p99, ms", "server's CPU, us", "generator, cores"}


def test_each_new_connection_is_answered(server: Server) -> None:
    data = request("GET", "/health", close=True)
    # On a busy machine a second may be too short for the first of them.
    assert any(Reconnecting(server.port, data).drive(2, 1.0).times for _ in range(30))


def test_a_cycle_is_a_job_that_the_master_has_as_completed(server: Server) -> None:
    players = nodes(server, 2)
    done: list[int] = []

    def until(count: int, script: Script) -> Script:
        answer = None
        while len(done) < count:
            answer = yield next(script) if answer is None else script.send(answer)

    drive(server.port, [until(5, one_by_one(server.token, each, done.append)) for each in players], 60.0)
    found = request("GET", "/jobs?status=completed&limit=1", token=server.token)
    count = asked(server, found)["count"]
    assert 5 <= len(done) <= count <= len(done) + len(players)
