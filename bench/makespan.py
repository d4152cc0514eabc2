"""How soon a file that is encoded in chunks is done, by the real rules on a clock that is only a number.

    python bench/makespan.py [--hours 2] [--seed 1] [--plot FILE.png]

Farms of 2 to 500 nodes, the fastest four times as fast as the slowest, each of which fails now and then and comes
back, encode a made-up film. `master.chunking` divides it, and `master.sharing` says who runs what. Printed is by how much
it is done later than possible: the lower bound is the most of what all nodes together need for all the work
while they are there, with not a moment idle, and of what the n fastest need for the n largest chunks, for each n. The exit
code is 1 if a farm with at least three chunks for each node is more than 5 % above it.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from master import sharing

FARMS = (2, 3, 5, 10, 20, 50, 100, 200, 500)
ALLOWED = 1.05
UNEVEN = 4.0
"""How many times as fast as the slowest node the fastest is."""
SILENCE, GONE = 15.0, 90.0
"""Seconds without a sign of life until a node is thought to hang, and until its chunk is given to another."""
OVERHEAD = 1.0
"""Seconds that a chunk takes besides its encode: its piece comes, what it made goes."""


@dataclass
class Node:
    """A machine of the farm."""

    name: str
    speed: float
    """Units of work in a second."""
    downs: list[tuple[float, float]]
    """When it is away: from, until; in their order."""
    chunk: str | None = None
    began: float = 0.0
    """When it began its chunk."""

    def down_at(self, now: float) -> tuple[float, float] | None:
        """The time away that holds now."""
        return next((each for each in self.downs if each[0] <= now < each[1]), None)

    def next_down(self, now: float) -> float:
        """When it fails next."""
        return next((begin for begin, _ in self.downs if begin > now), float("inf"))

    def given(self, until: float) -> float:
        """The work that it can do until then."""
        away = sum(max(0.0, min(end, until) - begin) for begin, end in self.downs if begin < until)
        return self.speed * (until - away)


@dataclass
class Farm:
    """The simulation: a heap of moments at which something happens."""

    nodes: Sequence[Node]
    weights: dict[str, float]
    now: float = 0.0
    waiting: set[str] = field(default_factory=set)
    runs: dict[str, list[Node]] = field(default_factory=dict)
    """By chunk: the nodes that run it, or are thought to."""
    done: list[sharing.Done] = field(default_factory=list)
    finished: set[str] = field(default_factory=set)
    copies: int = 0
    lost: int = 0
    moments: list[tuple[float, int, str, str]] = field(default_factory=list)
    number: int = 0

    def at(self, when: float, what: str, node: Node, chunk: str = "") -> None:
        """Something happens then."""
        self.number += 1
        heapq.heappush(self.moments, (when, self.number, what, f"{node.name} {chunk}"))

    def run(self) -> float:
        """Seconds until all chunks are done."""
        self.waiting = set(self.weights)
        by_name = {node.name: node for node in self.nodes}
        for node in self.nodes:
            for begin, end in node.downs:
                self.at(begin, "down", node)
                self.at(end, "up", node)
            self.at(0.0, "ask", node)
        while len(self.finished) < len(self.weights):
            self.now, _, what, about = heapq.heappop(self.moments)
            name, _, chunk = about.partition(" ")
            getattr(self, what)(by_name[name], chunk)
        return self.now

    def ask(self, node: Node, _: str = "") -> None:
        """A node that has nothing to do asks for work; every few seconds, if there is none."""
        if node.chunk is not None or node.down_at(self.now):
            return
        running = [self._running(each, chunk) for chunk, nodes in self.runs.items() for each in nodes]
        known = sharing.paces(self.done, running)
        waiting = [sharing.Waiting(chunk, self.weights[chunk]) for chunk in self.waiting]
        wanted = sharing.take(node.name, waiting, running, known)
        if wanted is not None:
            self.waiting.discard(wanted.job_id)
            self._begin(node, wanted.job_id)
            return
        copy = None if waiting else sharing.again(node.name, running, known)
        if copy is not None:
            self.copies += 1
            self._begin(node, copy.job_id)
        elif len(self.finished) < len(self.weights):
            self.at(self.now + 2.0, "ask", node)

    def _running(self, node: Node, chunk: str) -> sharing.Running:
        over = self.now - node.began
        need = self._seconds(node, chunk)
        silent = (down := node.down_at(self.now)) is not None and self.now - down[0] > SILENCE
        told = need - over if over > 0.05 * need and not node.down_at(self.now) else None
        return sharing.Running(
            chunk, node.name, self.weights[chunk], over, told, silent, doubled=len(self.runs[chunk]) > 1
        )

    def _seconds(self, node: Node, chunk: str) -> float:
        return self.weights[chunk] / node.speed + OVERHEAD

    def _begin(self, node: Node, chunk: str) -> None:
        node.chunk, node.began = chunk, self.now
        self.runs.setdefault(chunk, []).append(node)
        end = self.now + self._seconds(node, chunk)
        if end <= node.next_down(self.now):
            self.at(end, "end", node, chunk)

    def end(self, node: Node, chunk: str) -> None:
        """A node has done its chunk, unless another was faster: then it was told to stop."""
        if node.chunk != chunk or chunk in self.finished:
            return
        self.finished.add(chunk)
        self.done.append(sharing.Done(node.name, self.weights[chunk], self.now - node.began))
        for each in self.runs.pop(chunk):
            if each.chunk == chunk:
                each.chunk = None
                self.at(self.now, "ask", each)

    def down(self, node: Node, _: str) -> None:
        """A node fails; what it did is lost, which is known later."""
        if node.chunk is not None:
            self.lost += 1
            self.at(self.now + GONE, "gone", node, node.chunk)

    def up(self, node: Node, _: str) -> None:
        """It is back, and has forgotten what it did: the master learns of that when it asks."""
        if node.chunk is not None:
            self.gone(node, node.chunk)
        self.ask(node)

    def gone(self, node: Node, chunk: str) -> None:
        """Its chunk is given back."""
        if node.chunk != chunk or chunk not in self.runs:
            return
        node.chunk = None
        self.runs[chunk].remove(node)
        if not self.runs[chunk]:
            del self.runs[chunk]
            self.waiting.add(chunk)
        for each in self.nodes:
            self.at(self.now, "ask", each)


def bound(nodes: Sequence[Node], weights: Sequence[float]) -> float:
    """Seconds before which it cannot be done."""
    low, high = (
        0.0,
        sum(weights) / min(node.speed for node in nodes)
        + sum(end - begin for node in nodes for begin, end in node.downs),
    )
    for _ in range(60):
        middle = (low + high) / 2
        if sum(node.given(middle) for node in nodes) < sum(weights):
            low = middle
        else:
            high = middle
    largest = accumulate(sorted(weights, reverse=True))
    fastest = accumulate(sorted((node.speed for node in nodes), reverse=True))
    return max(high, *(work / speed for work, speed in zip(largest, fastest, strict=False)))


def farm(count: int, weights: dict[str, float], chance: random.Random) -> Farm:
    """Nodes of which one in three fails about once while the film is encoded."""
    speeds = [UNEVEN ** chance.random() for _ in range(count)]
    expected = sum(weights.values()) / sum(speeds)
    nodes = []
    for number, speed in enumerate(speeds):
        downs = []
        when = chance.expovariate(1 / (3 * expected))
        while when < 20 * expected and count > 1:
            away = chance.uniform(60, 600)
            downs.append((when, when + away))
            when += away + chance.expovariate(1 / (3 * expected))
        nodes.append(Node(f"node-{number:03}", speed, downs))
    return Farm(nodes, weights)
