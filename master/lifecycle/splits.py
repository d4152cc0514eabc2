"""The split as a family: its parts are chunks of one file, and its result is the file that they make."""

from __future__ import annotations

from collections.abc import Iterable

from common.inputs import stored_file
from common.model import Job, Node, NodeStatus, Stage
from common.split import asked

ENOUGH = 2
"""Nodes that see a media root: then no chunk needs the input from the file store."""


def source_of(job: Job) -> str | None:
    """What the plan of a split job found out of its whole input; None: there is nothing."""
    found = job.findings.divisible
    return None if found is None or job.stage is not Stage.JOIN else found.source


def hands_on(job: Job, nodes: Iterable[Node]) -> bool:
    """Whether the node that plans `job` has to put the input into the file store, for other nodes.

    Not if it lies there already, nor if several nodes see it in place.
    """
    if job.stage is not Stage.PLAN or asked(job.parameters) is None or job.input is None:
        return False
    if stored_file(job.input) is not None:
        return False
    place = job.constraints.input or ""
    if not place.startswith("media:"):
        return True
    root = place.removeprefix("media:")
    see_it = (node.status(0) is NodeStatus.AVAILABLE and root in (node.media_roots or ()) for node in nodes)
    return sum(see_it) < ENOUGH
