"""A master that is started again knows all that it had acknowledged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from common import problems
from tests.api.corner import Corner, got, kept, park, refused
from tests.masters import Master, start_master


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Master]]:
    """Starts a master, always on the same state; all are ended after the test."""
    started: list[Master] = []

    def begin() -> Master:
        started.append(start_master(tmp_path / "state", lease="1h"))
        return started[-1]

    yield begin
    for master in started:
        master.stop()


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_nodes_jobs_results_and_leases_are_there_after_a_restart(
    start: Callable[[], Master], how: str
) -> None:
    first = start()
    with first.client() as client:
        corner = Corner(client)
        node, done = corner.start()
        got(corner.report(done, metrics={"frames": 300}, log=["one", "two"]))
        corner.submit()
        claimed = corner.poll(node["id"])["job"]
        waiting = corner.submit(priority="high")
        got(client.post(f"/jobs/{corner.submit()['id']}/cancel"))
        got(client.post(f"/nodes/{corner.register(address='second')['id']}/drain"))
        before = kept(client)
    first.stop() if how == "stopped" else first.kill()
    with start().client() as client:
        corner.client = client
        assert kept(client) == before
        got(corner.report(claimed, metrics={"frames": 1}))
        assert corner.poll(node["id"])["id"] == waiting["id"]


def test_credentials_and_the_ca_outlive_a_restart(start: Callable[[], Master]) -> None:
    first = start()
    token, ca = first.token, first.ca.read_bytes()
    with first.client() as client:
        node = Corner(client).register(credential="y" * 40)
    first.stop()
    second = start()
    assert (second.token, second.ca.read_bytes()) == (token, ca)
    with second.client("y" * 40) as agent:
        got(agent.post(f"/nodes/{node['id']}/heartbeat"))


def test_a_stopping_master_tells_a_parked_poll_to_ask_again(start: Callable[[], Master]) -> None:
    master = start()
    with master.client() as client, ThreadPoolExecutor(1) as pool:
        corner = Corner(client)
        parked = park(master, corner, pool, corner.register())
        begun = time.monotonic()
        assert master.stop() == 0
        assert time.monotonic() - begun < 5
        answer = parked.result(timeout=5)[0]
        refused(answer, problems.UNAVAILABLE)
        assert int(answer.headers["Retry-After"]) > 0


def test_a_stop_is_quick_and_its_exit_status_is_zero(start: Callable[[], Master]) -> None:
    master = start()
    begun = time.monotonic()
    assert master.stop() == 0
    assert time.monotonic() - begun < 3
