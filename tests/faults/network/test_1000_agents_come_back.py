"""1,000 agents lose their master together: while they come back it answers, and none is given up."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest
import requests

from master.lifecycle.events import Event, NodeLost
from master.store import snapshot
from tests.api.corner import got
from tests.faults.network import thousand
from tests.masters import Client, Master, free_port, start_master, wait_until

AGENTS = 1000
HEARTBEAT_TIMEOUT = 30.0
"""Seconds; the agents send heartbeats three times as often."""


class Prober(threading.Thread):
    """Asks for the master's health again and again, each time on a new connection, as a monitor does."""

    def __init__(self, master: Master) -> None:
        super().__init__(daemon=True)
        self._master = master
        self.seconds: list[float] = []
        self.failures: list[str] = []
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.wait(0.05):
            begun = time.monotonic()
            try:
                with self._master.client() as client:
                    assert client.get("/health", timeout=30).ok
            except requests.RequestException as error:
                self.failures.append(str(error))
            self.seconds.append(time.monotonic() - begun)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    port = free_port()
    started: list[Master] = []

    def begin() -> Master:
        patience = f"{HEARTBEAT_TIMEOUT:g}s"
        started.append(start_master(tmp_path / "state", port=port, heartbeat_timeout=patience))
        return started[-1]

    yield begin
    assert started[-1].stop() == 0
    assert "Traceback" not in started[-1].log.read_text()


@pytest.fixture
def agents() -> Iterator[Any]:
    """Starts them all, for a master."""
    started: list[Any] = []

    def begin(master: Master) -> None:
        arguments = (AGENTS, master.port, master.ca, master.token, HEARTBEAT_TIMEOUT / 3)
        process = multiprocessing.get_context("spawn").Process(
            target=thousand.run, args=arguments, daemon=True
        )
        process.start()
        started.append(process)

    yield begin
    for process in started:
        process.kill()
        process.join()


class RollCall:
    """Which nodes were heard since a moment; asked for one after the other, to be no load itself."""

    def __init__(self, client: Client, since: datetime) -> None:
        self._client = client
        self._since = since
        self._unheard = [node["id"] for node in got(client.get("/nodes"))["nodes"]]

    def complete(self) -> bool:
        while self._unheard:
            heard = got(self._client.get(f"/nodes/{self._unheard[-1]}"))["last_heartbeat"]
            if heard is None or datetime.fromisoformat(heard) < self._since:
                return False
            self._unheard.pop()
        return True


def events(master: Master) -> Iterator[Event]:
    """All that ever happened there: the journal has not been folded yet."""
    for transaction in snapshot.transactions_after(master.state_dir / "journal", 0):
        yield from transaction


@pytest.mark.timeout(400)
def test_the_master_answers_all_the_while(start: Any, agents: Any) -> None:
    master = start()
    agents(master)
    with master.client() as client:
        wait_until(lambda: got(client.get("/nodes"))["count"] == AGENTS, "all agents have registered", 120)
        registered = datetime.now(UTC)
        wait_until(RollCall(client, registered).complete, "all of them are at work", 120)
    master.kill()
    killed, begun = datetime.now(UTC), time.monotonic()
    master = start()
    prober = Prober(master)
    prober.start()
    with master.client() as client:
        job = got(client.post("/jobs", json={"scenario": "720p-h264"}), 201)
        wait_until(lambda: got(client.get(f"/jobs/{job['id']}"))["status"] == "running", "it is taken", 60)
        taken = time.monotonic() - begun
        wait_until(RollCall(client, killed).complete, "all agents are back", 120)
        back = time.monotonic() - begun
        assert got(client.get(f"/jobs/{job['id']}"))["status"] == "running"
    prober.stop.set()
    prober.join()
    assert not any(isinstance(event, NodeLost) for event in events(master))
    assert prober.failures == []
    cuts = quantiles(prober.seconds, n=100)
    print(  # noqa: T201 - measured, and not asserted
        f"{AGENTS} agents: job taken {taken:.1f} s and all back {back:.1f} s after the kill; /health "
        f"{len(prober.seconds)} times: p50 {cuts[49]:.3f} p99 {cuts[98]:.3f} max {max(prober.seconds):.3f} s"
    )
