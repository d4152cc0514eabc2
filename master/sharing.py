"""Which chunk of a file goes to which node, and which one is run again elsewhere. Pure.

Nodes ask for work when they have room, so the largest chunk for whoever asks is nearly the best there is (the
rule "longest processing time first": Graham 1969). Two things are missing from that where nodes are uneven:
near the end a slow node must not take what the fast ones would have done sooner, and nobody may wait for one
that hangs.

A second run of a chunk is called its twin (`master.lifecycle.twins`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from statistics import median

_WORTH = 1.1
"""How many times as long as its twin would take, a chunk must still take where it runs, to get one."""
_LEAST = 5.0
"""Seconds that a twin must save: to begin one costs some."""
_OVERDUE = 0.25
"""What is left of a chunk that has taken longer than it should have, as a share of that."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A chunk that nobody runs."""

    job_id: str
    weight: float
    """How much work it is, beside the other chunks of its file (`master.weights`)."""


@dataclass(frozen=True, slots=True)
class Running:
    """A chunk that a node runs."""

    job_id: str
    node_id: str
    weight: float
    over: float
    """Seconds since it began."""
    left: float | None = None
    """Seconds that it still takes, as its node says."""
    silent: bool = False
    """Whether nothing was heard of it lately."""
    twinned: bool = False
    """Whether it may not be run again: it has or had a twin, or is one whose chunk runs, too."""


@dataclass(frozen=True, slots=True)
class Done:
    """A chunk that was completed."""

    node_id: str
    weight: float
    seconds: float


def paces(done: Iterable[Done], running: Iterable[Running] = ()) -> dict[str, float]:
    """Seconds for a unit of weight, by node: of what it completed, or else of what it runs, as it says."""
    seconds: dict[str, float] = {}
    weight: dict[str, float] = {}
    for each in done:
        if each.weight > 0 and each.seconds > 0:
            seconds[each.node_id] = seconds.get(each.node_id, 0.0) + each.seconds
            weight[each.node_id] = weight.get(each.node_id, 0.0) + each.weight
    found = {node: seconds[node] / weight[node] for node in seconds}
    told: dict[str, float] = {}
    for one in running:
        if one.node_id not in found and one.left is not None and one.weight > 0 and one.over > 0:
            pace = (one.over + one.left) / one.weight
            told[one.node_id] = max(pace, told.get(one.node_id, 0.0))
    return found | told


def take(
    node_id: str, waiting: Sequence[Waiting], running: Sequence[Running], known: Mapping[str, float]
) -> Waiting | None:
    """The chunk that `node_id`, which has room, should run; None if the file is done sooner without it.

    It is the largest that it would finish before the other nodes, which run chunks of this file now, could
    have finished all that waits. Where nothing is known of a node it is taken for a usual one; where nothing
    is known of any, or nobody else is at work, it gets the largest. `known`: their `paces`.
    """
    if not waiting:
        return None
    largest = min(waiting, key=_first)
    usual = median(known.values()) if known else None
    own = known.get(node_id, usual)
    others = [each for each in running if each.node_id != node_id and not each.silent]
    if own is None or usual is None or not others:
        return largest
    # No order of the chunks is done before all of them shared out evenly: mostly that decides it at once.
    rates = [1 / pace for each in others if (pace := known.get(each.node_id, usual)) > 0]
    if largest.weight * own <= sum(each.weight for each in waiting) / max(sum(rates), 1e-9):
        return largest
    queue = sorted(waiting, key=_first)
    bound = _finished(queue, others, known, usual)
    return next((chunk for chunk in queue if chunk.weight * own <= bound), None)


def again(node_id: str, running: Sequence[Running], known: Mapping[str, float]) -> Running | None:
    """The running chunk of which `node_id`, which has nothing else to do, should run a twin; None: of none.

    It is the one that ends last of those that would end clearly sooner here, and that no other node could
    take after what it is at, and still end sooner.
    """
    usual = median(known.values()) if known else None
    own = known.get(node_id, usual)
    if own is None or usual is None:
        return None
    worst: tuple[float, str, Running] | None = None
    for each in running:
        if each.twinned or each.node_id == node_id:
            continue
        left, twin = _left(each, known.get(each.node_id, usual)), each.weight * own
        if left <= max(_WORTH * twin, twin + _LEAST) or (
            worst is not None and (left, each.job_id) < worst[:2]
        ):
            continue
        others = (one for one in running if one.node_id not in (node_id, each.node_id) and not one.silent)
        paced = ((one, known.get(one.node_id, usual)) for one in others)
        if all(_left(one, pace) + each.weight * pace >= twin for one, pace in paced):
            worst = (left, each.job_id, each)
    return None if worst is None else worst[2]


def _first(chunk: Waiting) -> tuple[float, str]:
    return (-chunk.weight, chunk.job_id)


def _left(chunk: Running, pace: float) -> float:
    """Seconds until a running chunk is done; infinite where its node may be gone. `pace`: its node's."""
    if chunk.silent:
        return float("inf")
    if chunk.left is not None:
        return chunk.left
    whole = pace * chunk.weight
    # What is late is expected to be so for as long again: it may hang.
    return max(whole - chunk.over, _OVERDUE * whole, chunk.over - whole)


def _finished(
    queue: Sequence[Waiting], others: Sequence[Running], known: Mapping[str, float], usual: float
) -> float:
    """Seconds until those who run something have also done all that waits, the largest first."""
    lanes = []
    for number, each in enumerate(others):
        pace = known.get(each.node_id, usual)
        lanes.append((_left(each, pace), number, pace))
    heapify(lanes)
    last = 0.0
    for chunk in queue:
        free, number, pace = lanes[0]
        end = free + pace * chunk.weight
        last = max(last, end)
        heapreplace(lanes, (end, number, pace))
    return last
