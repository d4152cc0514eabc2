"""How soon films that are encoded in chunks are done, by the real rules on a clock that is only a number.

    python bench/makespan.py [--runs 1] [--chunks 32] [--plot FILE.svg]

Farms of 2 to 500 nodes, the fastest four times as fast as the slowest, each of which fails now and then and
comes back, encode made-up films. `master.chunking` divides these, `master.sharing` says who runs what. How
long a chunk really takes is up to a tenth more or less than its weight tells, with all that it takes beside.

The work grows with the farm: so many two-hour films at once (of small farms: one shorter film) that there are
`--chunks` chunks for each node. A second line is one film of two hours, whatever the farm. Printed is by how
much it is done later than possible (`bound`), of `--runs` runs the worst. The exit code is 1 if a farm whose
work grew with it was more than 5 % later.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from common.model import Cut, Divisible
from master import sharing
from master.chunking import SHORTEST, windows
from master.weights import work

FARMS = (2, 3, 5, 10, 20, 50, 100, 200, 500)
ALLOWED = 1.05
FILM = 7200
"""Seconds."""
RATE = 24
"""Frames a second of film."""
LEAD = 4
"""Frames that an encoder is shown before its chunk, as agents have it (`agent.chunks.alike`)."""
SLOWEST, UNEVEN = 4.0, 4.0
"""Frames a second that the slowest node encodes, and how many times as fast the fastest is."""
BESIDE = 8.0
"""What a chunk takes besides its frames (its piece comes, what it made goes), in frames: about a second."""
UNSURE = 0.1
"""By how much of it the work of a chunk may differ from its weight."""
SILENCE, GONE = 45.0, 90.0
"""Seconds without a sign of life until a node is thought to hang, and until its chunk is given to another."""
FAILS, AWAY = 10_000.0, (60.0, 600.0)
"""Seconds after which a node fails, on average, and seconds that it is away then."""
ASKS = 2.0
"""Seconds between two looks of a node that has nothing to do."""


@dataclass(frozen=True)
class Chunk:
    """What one node does at a time."""

    name: str
    film: int
    weight: float
    """As the master has it."""
    work: float
    """In frames."""


@dataclass
class Node:
    """A machine of the farm."""

    name: str
    speed: float
    """Frames in a second."""
    downs: list[tuple[float, float]]
    """When it is away: from, until; in their order."""
    chunk: Chunk | None = None
    began: float = 0.0

    def down_at(self, now: float) -> tuple[float, float] | None:
        """The time away that holds now."""
        return next((each for each in self.downs if each[0] <= now < each[1]), None)

    def next_down(self, now: float) -> float:
        """When it fails next."""
        return next((begin for begin, _ in self.downs if begin > now), float("inf"))

    def given(self, until: float) -> float:
        """The frames that it can encode until then."""
        away = sum(min(end, until) - begin for begin, end in self.downs if begin < until)
        return self.speed * (until - away)


@dataclass
class Film:
    """What the master knows of one film."""

    waiting: dict[str, sharing.Waiting] = field(default_factory=dict)
    runs: dict[str, list[Node]] = field(default_factory=dict)
    """By chunk: the nodes that run it, or are thought to."""
    done: dict[str, sharing.Done] = field(default_factory=dict)
    """By node, all of it together."""
    twins: dict[str, str] = field(default_factory=dict)
    """By chunk that has or had a twin: the node that runs that."""
    seen: tuple[float, int] = (-1.0, 0)
    running: list[sharing.Running] = field(default_factory=list)
    known: dict[str, float] = field(default_factory=dict)


class Farm:
    """The simulation: a heap of moments at which something happens."""

    def __init__(self, nodes: Sequence[Node], chunks: Sequence[Chunk]) -> None:
        """`chunks`: of all films, which are encoded in the order of their numbers."""
        self.nodes = {node.name: node for node in nodes}
        self.chunks = {chunk.name: chunk for chunk in chunks}
        self.films: dict[int, Film] = {number: Film() for number in sorted({each.film for each in chunks})}
        for chunk in chunks:
            self.films[chunk.film].waiting[chunk.name] = sharing.Waiting(chunk.name, chunk.weight)
        self.now = 0.0
        self.twins = self.lost = 0
        self._left = len(chunks)
        self._changes = 0
        self._moments: list[tuple[float, int, str, str, str]] = []
        self._number = 0

    def run(self) -> float:
        """Seconds until all chunks are done."""
        for node in self.nodes.values():
            for begin, end in node.downs:
                self._at(begin, "down", node)
                self._at(end, "up", node)
            self._at(0.0, "ask", node)
        happens = {
            "ask": self._ask,
            "down": self._down,
            "up": self._up,
            "end": self._end,
            "gone": self._expire,
        }
        while self._left:
            self.now, _, what, name, chunk = heapq.heappop(self._moments)
            happens[what](self.nodes[name], self.chunks.get(chunk))
        return self.now

    def _at(self, when: float, what: str, node: Node, chunk: Chunk | None = None) -> None:
        self._number += 1
        name = "" if chunk is None else chunk.name
        heapq.heappush(self._moments, (when, self._number, what, node.name, name))

    def _ask(self, node: Node, _: Chunk | None) -> None:
        """A node that has nothing to do asks for work; again in a moment, if there is none."""
        if node.chunk is not None or node.down_at(self.now):
            return
        for film in self.films.values():
            if film.waiting:
                self._look(film)
                wanted = sharing.take(node.name, list(film.waiting.values()), film.running, film.known)
                if wanted is not None:
                    del film.waiting[wanted.job_id]
                    self._begin(node, film, wanted.job_id)
                    return
        for film in self.films.values():
            if not film.waiting:
                self._look(film)
                slow = sharing.again(node.name, film.running, film.known)
                if slow is not None:
                    self.twins += 1
                    film.twins.setdefault(slow.job_id, node.name)
                    self._begin(node, film, slow.job_id)
                    return
        self._at((self.now // ASKS + 1) * ASKS, "ask", node)

    def _look(self, film: Film) -> None:
        """What the master sees; the same for all who ask at once."""
        if film.seen == (self.now, self._changes):
            return
        film.seen = (self.now, self._changes)
        film.running = [
            self._running(node, self.chunks[name], film)
            for name, nodes in film.runs.items()
            for node in nodes
        ]
        film.known = sharing.paces(film.done.values(), film.running)

    def _running(self, node: Node, chunk: Chunk, film: Film) -> sharing.Running:
        down, over = node.down_at(self.now), self.now - node.began
        need = chunk.work / node.speed
        told = need - over if over > 0.05 * need and down is None else None
        silent = down is not None and self.now - down[0] > SILENCE
        # A chunk whose own node is gone waits, and was left to its twin: it can be run again.
        left = len(film.runs[chunk.name]) == 1 and film.twins.get(chunk.name) == node.name
        twinned = chunk.name in film.twins and not left
        return sharing.Running(chunk.name, node.name, chunk.weight, over, told, silent, twinned=twinned)

    def _begin(self, node: Node, film: Film, name: str) -> None:
        chunk = node.chunk = self.chunks[name]
        node.began = self.now
        film.runs.setdefault(name, []).append(node)
        self._changes += 1
        end = self.now + chunk.work / node.speed
        if end <= node.next_down(self.now):
            self._at(end, "end", node, chunk)

    def _end(self, node: Node, chunk: Chunk | None) -> None:
        """A node has done its chunk, unless another was faster: then it was told to stop."""
        if chunk is None or node.chunk is not chunk:
            return
        film = self.films[chunk.film]
        self._left -= 1
        self._changes += 1
        before = film.done.get(node.name, sharing.Done(node.name, 0.0, 0.0))
        took = before.seconds + self.now - node.began
        film.done[node.name] = sharing.Done(node.name, before.weight + chunk.weight, took)
        for each in film.runs.pop(chunk.name):
            each.chunk = None
            self._at(self.now, "ask", each)
        if not film.waiting and not film.runs:
            del self.films[chunk.film]

    def _down(self, node: Node, _: Chunk | None) -> None:
        """A node fails; what it did is lost, which is known later."""
        if node.chunk is not None:
            self.lost += 1
            self._at(self.now + GONE, "gone", node, node.chunk)

    def _up(self, node: Node, _: Chunk | None) -> None:
        """It is back, and has forgotten what it did: the master learns of that when it asks."""
        self._gone(node, node.chunk)
        self._ask(node, None)

    def _expire(self, node: Node, chunk: Chunk | None) -> None:
        """Nothing was heard of it for so long; unless it is back, and was given something since."""
        if node.down_at(self.now):
            self._gone(node, chunk)

    def _gone(self, node: Node, chunk: Chunk | None) -> None:
        """Its chunk is given back, or left to its twin."""
        if chunk is None or node.chunk is not chunk:
            return
        node.chunk = None
        self._changes += 1
        film = self.films[chunk.film]
        film.runs[chunk.name].remove(node)
        if not film.runs[chunk.name]:
            del film.runs[chunk.name]
            film.waiting[chunk.name] = sharing.Waiting(chunk.name, chunk.weight)


def bound(nodes: Sequence[Node], works: Sequence[float]) -> tuple[float, float]:
    """Seconds before which it cannot be done: if all nodes encode all the time; and with whole chunks.

    The first is when the nodes, while they are there, can have encoded all frames. The second: of the k
    largest chunks a node completes no more than as many of the shortest of these as it can encode.
    """
    every = sorted(works, reverse=True)
    total = sum(every)
    fluid = _least(nodes, lambda until: sum(node.given(until) for node in nodes) >= total, total)
    largest = fluid
    for count in sorted({max(1, len(every) * share // 20) for share in range(1, 21)}):
        shortest = every[count - 1]

        def enough(until: float, count: int = count, shortest: float = shortest) -> bool:
            return sum(node.given(until) // shortest for node in nodes) >= count

        if not enough(largest):
            largest = _least(nodes, enough, total)
    return fluid, largest


def _least(nodes: Sequence[Node], enough: Any, total: float) -> float:
    """The least time that is enough."""
    low = 0.0
    high = total / min(node.speed for node in nodes) + sum(
        end - begin for n in nodes for begin, end in n.downs
    )
    while high - low > 0.01:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


@cache
def film(seconds: int, seed: int) -> Divisible:
    """A made-up film: scenes of some seconds, more or less hard, and a key frame each two seconds."""
    chance, frames = random.Random(seed), seconds * RATE  # noqa: S311 # nosec B311 - no secret
    scenes: dict[int, float] = {0: 1.0}
    at = 0
    while (at := at + RATE * chance.randint(2, 20)) < frames - RATE:
        scenes[at] = chance.lognormvariate(0, 0.6)
    places = sorted({*scenes, *range(0, frames, 2 * RATE)})
    cuts, hard = [], 1.0
    for place, following in zip(places, [*places[1:], frames], strict=True):
        hard = scenes.get(place, hard)
        lead = max(0, place - LEAD)
        size = int((following - place) * 4000 * hard)
        scene = float(place in scenes)
        cuts.append(Cut(place, place, (lead, lead), lead / RATE, scene, size))
    return Divisible(None, frames, frames, (1, RATE), tuple(cuts))


def chunks_of(number: int, seconds: int, chance: random.Random) -> list[Chunk]:
    """A film's chunks."""
    divisible = film(seconds, number % 8)
    size = sum(cut.work for cut in divisible.cuts)
    frames, whole = divisible.frames, work(divisible.frames, size, divisible.frames, size)
    found = []
    for place, window in enumerate(windows(divisible)):
        weight = frames * work(window.end - window.first, window.work, frames, size) / whole
        seen = (window.end - window.lead) / (window.end - window.first)
        real = weight * seen * chance.uniform(1 - UNSURE, 1 + UNSURE) + BESIDE
        found.append(Chunk(f"{number:02}-{place:03}", number, weight, real))
    return found


def farm(count: int, chunks: Sequence[Chunk], chance: random.Random) -> list[Node]:
    """Nodes of different speed, with the times at which they fail until long after all is done."""
    speeds = [SLOWEST * UNEVEN ** chance.random() for _ in range(count)]
    expected = sum(chunk.work for chunk in chunks) / sum(speeds)
    nodes = []
    for number, speed in enumerate(speeds):
        downs, when = [], chance.expovariate(1 / FAILS)
        while when < 20 * expected:
            back = when + chance.uniform(*AWAY)
            downs.append((when, back))
            when = back + chance.expovariate(1 / FAILS)
        nodes.append(Node(f"node-{number:03}", speed, downs))
    return nodes


@dataclass(frozen=True)
class Outcome:
    """One run."""

    nodes: int
    films: int
    chunks: int
    fluid: float
    bound: float
    took: float
    twins: int
    lost: int

    @property
    def over(self) -> float:
        """How many times the bound it took."""
        return self.took / self.bound


def simulate(count: int, per_node: int | None, seed: int) -> Outcome:
    """`per_node`: chunks for each node; None: one film of two hours."""
    chance = random.Random(f"{count} {per_node} {seed}")  # noqa: S311 # nosec B311 - no secret
    chunks: list[Chunk] = []
    if per_node is None:
        chunks = chunks_of(0, FILM, chance)
    else:
        seconds = min(FILM, count * per_node * SHORTEST)
        while len(chunks) < count * per_node * 0.95:
            chunks += chunks_of(chunks[-1].film + 1 if chunks else 0, seconds, chance)
    nodes = farm(count, chunks, chance)
    fluid, least = bound(nodes, [chunk.work for chunk in chunks])
    running = Farm(nodes, chunks)
    took = running.run()
    films = chunks[-1].film + 1
    return Outcome(count, films, len(chunks), fluid, least, took, running.twins, running.lost)


def worst(count: int, per_node: int | None, runs: int) -> Outcome:
    """The run that took longest beside what was possible."""
    return max((simulate(count, per_node, seed) for seed in range(runs)), key=lambda each: each.over)


def show(outcomes: Sequence[Outcome]) -> None:
    """A table."""
    print(f"{'nodes':>6}{'films':>6}{'chunks':>8}{'bound':>10}{'took':>10}{'over':>8}{'twins':>7}{'lost':>6}")
    for each in outcomes:
        print(
            f"{each.nodes:6}{each.films:6}{each.chunks:8}{each.bound:8.0f} s{each.took:8.0f} s"
            f"{100 * each.over - 100:6.1f} %{each.twins:7}{each.lost:6}"
        )


def plot(grown: Sequence[Outcome], one: Sequence[Outcome], path: Path) -> None:
    """Draw how much later than possible each farm was done."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    mpl.rcParams |= {"svg.hashsalt": "makespan", "font.size": 10}
    figure, axes = pyplot.subplots(figsize=(7, 4))
    lines = (
        ("work that grows with the farm", [each.over for each in grown], "o-"),
        ("one film of two hours", [each.over for each in one], "s--"),
        ("the same, if chunks could be divided", [each.took / each.fluid for each in one], "^:"),
    )
    for label, values, style in lines:
        axes.plot([each.nodes for each in grown], [100 * v - 100 for v in values], style, label=label)
    axes.axhline(100 * ALLOWED - 100, color="0.5", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=10)
    axes.set_xticks(list(FARMS), [str(count) for count in FARMS])
    axes.set_yticks([0, 5, 10, 30, 100], ["0", "5", "10", "30", "100"])
    axes.set(xlabel="nodes", ylabel="later than the lower bound, %")
    axes.minorticks_off()
    axes.legend()
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")


def main() -> int:
    """Simulate, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=1, help="of each farm (default: 1)")
    parser.add_argument("--chunks", type=int, default=32, help="for each node (default: 32)")
    parser.add_argument("--plot", type=Path, help="an SVG that is drawn")
    options = parser.parse_args()
    if options.runs < 1 or options.chunks < 1:
        parser.error("--runs and --chunks must be 1 or more")
    began = time.perf_counter()
    grown = [worst(count, options.chunks, options.runs) for count in FARMS]
    print(f"{options.chunks} chunks for each node:")
    show(grown)
    one = [worst(count, None, options.runs) for count in FARMS]
    print("\nOne film of two hours, whatever the farm:")
    show(one)
    if options.plot is not None:
        plot(grown, one, options.plot)
    late = [each for each in grown if each.over > ALLOWED]
    print(f"\n{'too late' if late else 'all in time'}; it took {time.perf_counter() - began:.0f} s")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
