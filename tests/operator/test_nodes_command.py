"""`ffrtmp nodes` shows and steers the registry."""

from __future__ import annotations

from tests.masters import Client
from tests.operator.conftest import Ffrtmp


def test_a_node_is_listed_shown_drained_resumed_approved_and_removed(client: Client, ffrtmp: Ffrtmp) -> None:
    node_id = client.post("/nodes/register", json={"address": "render-7", "cpu_threads": 8}).json()["id"]
    shown = [line.split()[:3] for line in ffrtmp("nodes", "list").stdout.splitlines()]
    assert [node_id, "render-7", "available"] in shown
    assert "cpu_threads: 8" in ffrtmp("nodes", "show", node_id[:8]).stdout
    assert "(render-7) drains; it is draining." in ffrtmp("nodes", "drain", node_id[:8]).stdout
    assert "takes jobs again; it is available." in ffrtmp("nodes", "resume", node_id).stdout
    assert "is approved; it is available." in ffrtmp("nodes", "approve", node_id).stdout
    assert ffrtmp("nodes", "rm", node_id).stdout == f"Node {node_id} is removed.\n"
    assert node_id not in {node["id"] for node in ffrtmp.json("nodes", "list")}


def test_an_unknown_node_is_one_clear_line(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("nodes", "drain", "nobody")
    assert done.returncode == 5
    assert done.stderr.splitlines()[-1].startswith("Error: There is no node 'nobody'.")
