"""Whole cycles of jobs on one master: one by one, with the next claim in each answer, and in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.load import Script, drive
from bench.playing import TOGETHER, Played, carried, in_batches, must_know, nodes, one_by_one
from bench.rig import Look, Row, Sample, Subject
from bench.servers import a_master

CLIENTS = 4
Cycle = Callable[[str, Played, Callable[[int], None]], Script]


@contextmanager
def _opened(cycle: Cycle, seconds: float, folder: Path) -> Iterator[Look]:
    """A master, and clients that each play a submitter and a node."""
    with a_master(folder) as server:
        players, token = nodes(server, CLIENTS), server.token
        must_know(server, players[0], "&max=1")

        def look(long: float = seconds) -> Sample:
            done: list[int] = []
            load = server.watched(
                lambda port: drive(port, [cycle(token, node, done.append) for node in players], long)
            )
            sample, jobs = load.sample(sum(done) / load.seconds), max(1, sum(done))
            return Sample(
                sample.value, {**sample.more, "server's CPU for a job, us": 1e6 * (load.server or 0) / jobs}
            )

        look(min(1.0, seconds))
        yield look


def rows(quick: bool) -> list[Row]:
    """What it gains to do several things with one request."""
    seconds = 1.0 if quick else 5.0

    def subject(name: str, cycle: Cycle) -> Subject:
        return Subject(name, partial(_opened, cycle, seconds))

    return [
        Row(
            "cycles-ways",
            f"Submit, claim, result: in batches of {TOGETHER} beside one by one",
            "jobs/s",
            subject(f"batches of {TOGETHER}", in_batches),
            (
                subject("the result carries the next claim", carried),
                subject("one by one", one_by_one),
            ),
            note=f"{CLIENTS} clients; each answer is on the disk before it is sent.",
        )
    ]
