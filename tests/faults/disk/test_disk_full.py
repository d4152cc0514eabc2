"""On a full disk writes get 503 and reads go on; when space returns, so do writes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from tests.faults.disk.conftest import Start
from tests.masters import Master, free_port, run_master, start_master

LARGE: dict[str, Any] = {"labels": {f"{'name' * 14}{n}": "value" * 12 for n in range(64)}}
"""A node with as many labels as it may have: it fills a journal soonest."""
SPACE_FOR_ONE_SEGMENT = 20 * 1024 * 1024
ROUNDS = 10


def register_until_refused(master: Master, number: int) -> tuple[set[str], requests.Response]:
    """The nodes that were acknowledged, and the refusal."""
    acknowledged: set[str] = set()
    with master.client() as client:
        while True:
            node_id = f"node-{number}-{len(acknowledged)}"
            answer = client.post("/nodes/register", json={"address": "n", "id": node_id, **LARGE})
            if not answer.ok:
                return acknowledged, answer
            acknowledged.add(node_id)


def fill(master: Master) -> set[str]:
    """The nodes that were acknowledged until nothing was, not even a small job.

    A compaction that ends after a refusal removes segments: then there is room once more.
    """
    acknowledged: set[str] = set()
    for turn in range(ROUNDS):
        with ThreadPoolExecutor(3) as pool:
            ends = list(
                pool.map(lambda number: register_until_refused(master, number), range(3 * turn, 3 * turn + 3))
            )
        for ids, refusal in ends:
            acknowledged |= ids
            assert refusal.status_code == 503
            assert refusal.json()["type"] == "urn:ffrtmp:problem:unavailable"
            assert "No space left on device" in refusal.json()["detail"]
            assert int(refusal.headers["Retry-After"]) > 0
        with master.client() as client:
            if client.post("/jobs", json={"scenario": "480p-h264"}).status_code == 503:
                return acknowledged
    raise AssertionError(f"the disk was not full after {ROUNDS} rounds")


def nodes(master: Master) -> set[str]:
    with master.client() as client:
        return {node["id"] for node in client.get("/nodes").json()["nodes"]}


def test_writes_are_refused_until_there_is_space(make_disk: Callable[[str], Path], start: Start) -> None:
    disk = make_disk("64m")
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * (64 * 1024 * 1024 - SPACE_FOR_ONE_SEGMENT))
    master = start(disk / "state")
    acknowledged = fill(master)
    with master.client() as client:
        assert client.get("/health").ok
        assert nodes(master) == acknowledged
        ballast.unlink()
        acknowledged.add(client.post("/nodes/register", json={"address": "n"}).json()["id"])
    master.kill()
    again = start(disk / "state")
    assert nodes(again) == acknowledged
    with again.client() as client:
        acknowledged.add(client.post("/nodes/register", json={"address": "n"}).json()["id"])
    assert again.stop() == 0
    assert nodes(start(disk / "state")) == acknowledged


def test_a_master_does_not_start_without_space_and_says_why(make_disk: Callable[[str], Path]) -> None:
    disk = make_disk("20m")
    assert start_master(disk / "state").stop() == 0
    (disk / "ballast").write_bytes(b"x" * 17 * 1024 * 1024)
    ended = run_master(f"--state-dir={disk / 'state'}", f"--port={free_port()}")
    assert ended.returncode == 1
    assert "cannot begin a journal segment" in ended.stderr
    assert "No space left on device" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
