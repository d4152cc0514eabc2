"""Which chunk of a file goes to which node, and which one is run again elsewhere. Pure.

Nodes ask for work when they have room, so the largest chunk for whoever asks is nearly the best there is (the rule
"longest processing time first": Graham 1969). Two things are missing from that where nodes are uneven: near the end a slow
node must not take what the fast ones would have done sooner, and nobody may wait for one that hangs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from statistics import median

_WORTH = 1.1
"""How many times as long as the copy would take, a chunk must still take where it runs, to be run again elsewhere."""
_LEAST = 5.0
"""Seconds that a copy must save: to begin one costs some."""
_OVERDUE = 0.25
"""What is left of a chunk that has taken longer than it should have, as a share of that."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A chunk that nobody runs."""

    job_id: str
    weight: float
    """How much work it is, beside the other chunks of its file."""


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
    """Whether nothing was heard of its node lately."""
    doubled: bool = False
    """Whether it is run twice already."""


@dataclass(frozen=True, slots=True)
class Done:
    """A chunk that was completed."""

    node_id: str
    weight: float
    seconds: float


def paces(done: Iterable[Done], running: Iterable[Running] = ()) -> dict[str, float]:
    """Seconds for a unit of weight, by node: of what it completed, or else of what it runs and says of that."""
    seconds: dict[str, float] = {}
    weight: dict[str, float] = {}
    for each in done:
        if each.weight > 0 and each.seconds > 0:
            seconds[each.node_id] = seconds.get(each.node_id, 0.0) + each.seconds
            weight[each.node_id] = weight.get(each.node_id, 0.0) + each.weight
    found = {node: seconds[node] / weight[node] for node in seconds}
    for one in running:
        if one.node_id not in found and one.left is not None and one.weight > 0 and one.over > 0:
            found[one.node_id] = (one.over + one.left) / one.weight
    return found


def take(
    node_id: str, waiting: Sequence[Waiting], running: Sequence[Running], known: Mapping[str, float]
) -> Waiting | None:
    """The chunk that `node_id`, which has room, should run; None if the file is done sooner without it.

    It is the largest that it would finish before the other nodes, which run chunks of this file now, could have finished
    all that waits. Where nothing is known of a node it is taken for a usual one; where nothing is known of any, or
    nobody else is at work, it gets the largest.
    """
    queue = sorted(waiting, key=_first)
    if not queue:
        return None
    own = _pace(node_id, known)
    others = [each for each in running if each.node_id != node_id and not each.silent]
    if own is None or not others:
        return queue[0]
    bound = _finished(queue, others, known)
    return next((chunk for chunk in queue if chunk.weight * own <= bound), None)


def again(node_id: str, running: Sequence[Running], known: Mapping[str, float]) -> Running | None:
    """The running chunk of which `node_id`, which has nothing else to do, should run a copy; None: of none.

    It is the one that ends last of those that would end clearly sooner here.
    """
    own = _pace(node_id, known)
    if own is None:
        return None
    worst: tuple[float, str, Running] | None = None
    for each in running:
        if each.doubled or each.node_id == node_id:
            continue
        left, copy = _left(each, known), each.weight * own
        if left > max(_WORTH * copy, copy + _LEAST) and (worst is None or (left, each.job_id) > worst[:2]):
            worst = (left, each.job_id, each)
    return None if worst is None else worst[2]


def _first(chunk: Waiting) -> tuple[float, str]:
    return (-chunk.weight, chunk.job_id)


def _pace(node_id: str, known: Mapping[str, float]) -> float | None:
    return known.get(node_id, median(known.values()) if known else None)


def _left(chunk: Running, known: Mapping[str, float]) -> float:
    """Seconds until a running chunk is done; infinite where its node may be gone."""
    if chunk.silent:
        return float("inf")
    if chunk.left is not None:
        return chunk.left
    pace = _pace(chunk.node_id, known)
    if pace is None:
        return 0.0
    whole = pace * chunk.weight
    return max(whole - chunk.over, _OVERDUE * whole)


def _finished(queue: Sequence[Waiting], others: Sequence[Running], known: Mapping[str, float]) -> float:
    """Seconds until those who run something have also done all that waits, the largest first."""
    lanes = [(_left(each, known), number, _pace(each.node_id, known) or 0.0) for number, each in enumerate(others)]
    heapify(lanes)
    last = 0.0
    for chunk in queue:
        free, number, pace = lanes[0]
        end = free + pace * chunk.weight
        last = max(last, end)
        heapreplace(lanes, (end, number, pace))
    return last
