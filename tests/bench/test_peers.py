"""The job queues that ours is compared with are pinned, and each is there with its program and its worker."""

from __future__ import annotations

import ast
import re

from bench.peers import PEERS, REQUIREMENTS, rows
from bench.running import ROOT

PINNED = REQUIREMENTS.read_text().splitlines()


def test_every_package_has_one_version() -> None:
    lines = [line for line in PINNED if not line.startswith("#")]
    assert len(lines) > len(PEERS)
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", line), line


def test_every_queue_has_a_program_that_submits_and_finishes() -> None:
    for peer in PEERS:
        tree = ast.parse((ROOT / f"bench/queues/{peer.module}_queue.py").read_text())
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert {"submit", "finish"} <= functions
        assert any(line.startswith(f"{peer.module}==") for line in PINNED)


def test_a_queue_on_redis_is_measured_with_both_ways_to_sync_and_its_row_says_what_is_kept() -> None:
    for peer, row in zip(PEERS, rows(quick=True), strict=True):
        names = [subject.name for subject in row.against]
        if peer.redis:
            assert len(names) == 2
            assert "once a second" in names[0]
            assert "each command" in names[1]
        else:
            assert "synced each time" in names[0]
        assert peer.kept in row.note
