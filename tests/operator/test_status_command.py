"""`ffrtmp status` shows the farm on one screen, and its exit code says whether something needs somebody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from master.operator.attention import concerns
from tests.api.corner import Corner
from tests.masters import Client, start_master
from tests.operator.conftest import Ffrtmp


def _standing(**changed: Any) -> dict[str, Any]:
    nodes = dict.fromkeys(
        ("available", "busy", "draining", "quarantined", "offline", "unapproved", "revoked"), 0
    )
    waiting = {name: {"jobs": 2, "oldest": 1.5} for name in ("high", "medium", "low")}
    return {"paused": False, "waiting": waiting, "nodes": nodes, "stuck": [], **changed}


def test_jobs_that_wait_for_their_turn_need_nobody() -> None:
    assert concerns(_standing()) == []


def test_a_paused_queue_needs_somebody() -> None:
    assert concerns(_standing(paused=True)) == [
        {"problem": "the queue is paused, and 6 jobs waiting", "todo": "ffrtmp queue resume"}
    ]


def test_jobs_that_no_node_can_take_need_somebody() -> None:
    stuck = [{"job_id": "a1", "jobs": 1, "reason": "no node offers a GPU"}]
    (concern,) = concerns(_standing(stuck=stuck))
    assert concern["problem"] == "1 job that no node can take: no node offers a GPU"
    assert "ffrtmp jobs show a1" in concern["todo"]


@pytest.mark.parametrize("status", ["quarantined", "offline", "unapproved"])
def test_a_node_that_does_nothing_and_could_needs_somebody(status: str) -> None:
    nodes = {**_standing()["nodes"], status: 1}
    (concern,) = concerns(_standing(nodes=nodes))
    assert concern["problem"].startswith("1 node ")
    assert "ffrtmp nodes list" in concern["todo"]


@pytest.mark.parametrize("status", ["available", "busy", "draining", "revoked"])
def test_a_node_that_works_or_that_somebody_ended_needs_nobody(status: str) -> None:
    assert concerns(_standing(nodes={**_standing()["nodes"], status: 1})) == []


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Ffrtmp, Client]]:
    """A farm in which nothing else is."""
    master = start_master(tmp_path / "state")
    with master.client() as client:
        yield Ffrtmp(master.url, tmp_path), client
    master.stop()


def test_the_screen_says_what_is_so_and_what_to_do(own: tuple[Ffrtmp, Client]) -> None:
    ffrtmp, client = own
    calm = ffrtmp.process("status")
    assert (calm.returncode, "Nothing needs you." in calm.stdout) == (0, True)
    corner = Corner(client)
    job = corner.submit(priority="high")
    stuck = ffrtmp.process("status")
    assert stuck.returncode == 1
    assert "waiting: 1 high (the oldest for " in stuck.stdout
    assert "! 1 job that no node can take: no node is registered" in stuck.stdout
    node = corner.register(max_concurrent_jobs=2)
    assert corner.poll(node["id"])["job"]["id"] == job["id"]
    shown = ffrtmp("status")
    assert shown.returncode == 0
    assert "nodes    1 available; slots: 1 used, 1 free" in shown.stdout
    assert f"\nrunning:\nID {' ' * 34}" in shown.stdout
    assert ffrtmp.json("status")["running"][0]["id"] == job["id"]
    assert ffrtmp("status", "-o", "csv").stdout.startswith("version,uptime_seconds,")
