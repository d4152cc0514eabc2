"""Which pending job suits which node, and why one waits. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from operator import attrgetter

from common.durations import format_duration
from common.inputs import STORES, readable
from common.model import Constraints, Job, Node, NodeStatus
from common.outputs import writable

_alone = attrgetter("constraints.alone")
_BUCKETS = tuple(f"{scheme}://" for scheme in STORES)


def meets(node: Node, wanted: Constraints) -> bool:
    """Whether `node`, as it is equipped, can run jobs with the constraints `wanted`."""
    return not _missing(node, wanted)


def equipment(node: Node) -> Hashable:
    """All of `node` that `meets` looks at: nodes that have the same can run the same jobs."""
    hardware = node.hardware
    return (
        tuple(sorted(node.labels.items())),
        hardware.encoders,
        hardware.has_gpu,
        node.media_roots,
        node.input_hosts,
        node.output_roots,
        node.output_hosts,
        node.protocol,
        node.run_unlabeled,
    )


def present(wanted: Constraints, nodes: Iterable[Node]) -> int:
    """How many of the `nodes` could run jobs with the constraints `wanted`, now or when a slot is free."""
    return sum(node.status(0) is NodeStatus.AVAILABLE and meets(node, wanted) for node in nodes)


def _missing(node: Node, wanted: Constraints) -> list[str]:
    """What `node` lacks. A node that does not say which encoders it has is taken at its word."""
    missing = [f"label {key}={value}" for key, value in wanted.labels if node.labels.get(key) != value]
    if node.hardware.encoders is not None:
        missing += [f"encoder {name}" for name in wanted.encoders if name not in node.hardware.encoders]
    if wanted.gpu and not node.hardware.has_gpu:
        missing.append("a GPU")
    if wanted.input is not None and not readable(wanted.input, node.media_roots, node.input_hosts):
        missing.append(_source(wanted.input))
    if wanted.output is not None and not writable(wanted.output, node.output_roots, node.output_hosts):
        missing.append(_goal(wanted.output))
    if node.protocol < wanted.protocol:
        missing.append(f"an agent of protocol {wanted.protocol}")
    if not node.run_unlabeled and not wanted.labels:
        missing.append("jobs without labels")
    return missing


def _source(place: str) -> str:
    name = place.removeprefix("media:")
    if place.startswith(_BUCKETS):
        return f"the bucket {place}"
    return f"the host {place}" if name == place else f"the media root {name!r}"


def _goal(place: str) -> str:
    name = place.removeprefix("media:")
    return f"the host {place} to stream to" if name == place else f"the media root {name!r} to write to"


def order(job: Job) -> tuple[int, tuple[int, int]]:
    """The queue's order: smaller goes first."""
    return (job.priority.rank, job.turn)


Standing = tuple[Node, Sequence[Job]]
"""A node, and the jobs that run on it."""


def choose(
    node: Node,
    candidates: Iterable[Job],
    held: Sequence[Job] = (),
    standings: Callable[[], Iterable[Standing]] = tuple,
) -> Job | None:
    """The job that `node`, on which `held` run, should run next; `candidates`: in the order of the queue.

    A job that runs alone begins on an idle node, and nothing joins it. So that a steady stream
    of others does not keep it waiting for ever, one busy node makes room for it: that takes
    nothing that comes after it in the queue (see `makes_room`). `standings` are all nodes.
    """
    if any(map(_alone, held)):
        return None
    for job in candidates:
        if not held or not job.constraints.alone:
            return job
        if makes_room(node, job, standings()):
            return None
    return None


def makes_room(node: Node, job: Job, standings: Iterable[Standing]) -> bool:
    """Whether `node` is the one that takes nothing more until `job` can run alone on it.

    It is the node with the fewest jobs among those that could run it: as it takes nothing
    more, it will be idle when these have ended, or another has still fewer and takes its place.
    The others work on.
    """
    able = [
        (len(held), other.id)
        for other, held in standings
        if other.status(len(held)) in (NodeStatus.AVAILABLE, NodeStatus.BUSY)
        and not any(running.constraints.alone for running in held)
        and meets(other, job.constraints)
    ]
    return bool(able) and min(able)[1] == node.id


def pending_reason(job: Job, nodes: Iterable[Node], ready_in: float, *, paused: bool = False) -> str:
    """One sentence for people: what `job` waits for.

    `ready_in` is the rest of its backoff in seconds (0 or less: none); `paused`: the queue is.
    """
    if paused:
        return "the queue is paused; resume it with: ffrtmp queue resume"
    if ready_in > 0:
        return f"waits {format_duration(ready_in)} before the next attempt"
    everybody = [node for node in nodes if node.revoked_at is None]
    if not everybody:
        return "no node is registered"
    approved = [node for node in everybody if node.approved]
    if not approved:
        return f"no node is approved yet; approve one with: ffrtmp nodes approve {everybody[0].id}"
    present = [node for node in approved if not node.lost]
    able = [node for node in present if meets(node, job.constraints)]
    if not able:
        return _why_nobody(job, approved, present)
    aside = [node for node in able if node.quarantined is not None]
    leaving = [node for node in able if node.draining or node.stopping]
    if len(leaving) == len(able):
        return "every node that could run it is draining"
    if len(aside) == len(able):
        return f"every node that could run it is set aside; see: ffrtmp nodes show {able[0].id}"
    if all(node in aside or node in leaving for node in able):
        return "every node that could run it is draining or set aside; see: ffrtmp nodes list"
    if job.constraints.alone:
        return "waits for an idle node: it runs alone on its node"
    return "waits for a free slot"


def _why_nobody(job: Job, approved: list[Node], present: list[Node]) -> str:
    if any(meets(node, job.constraints) for node in approved):
        return "every node that could run it is offline"
    if not present:
        return "every node is offline"
    place = job.constraints.input
    if place is not None and not any(readable(place, n.media_roots, n.input_hosts) for n in present):
        verb = "declares" if place.startswith("media:") else "may fetch from"
        return f"no node {verb} {_source(place)}"
    goal = job.constraints.output
    if goal is not None and not any(writable(goal, n.output_roots, n.output_hosts) for n in present):
        verb = "writes to" if goal.startswith("media:") else "may stream to"
        return f"no node {verb} {_source(goal)}"
    closest = min((_missing(node, job.constraints) for node in present), key=len)
    lacks = {item for node in present for item in _missing(node, job.constraints)}
    everywhere = [item for item in closest if all(item in _missing(n, job.constraints) for n in present)]
    if everywhere and everywhere != ["jobs without labels"]:
        return f"no node offers {' and '.join(i for i in everywhere if i != 'jobs without labels')}"
    if lacks == {"jobs without labels"}:
        return "every node takes only jobs that name its labels"
    return f"no single node offers all it needs; the closest lacks {' and '.join(closest)}"
