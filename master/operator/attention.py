"""What of a master's status somebody should look after, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from master.operator.tables import counted

Concern = dict[str, str]
"""`problem`: what is so. `todo`: what to do about it."""

_NODES = {
    "quarantined": (
        "set aside: several different jobs failed on it",
        "see why with `ffrtmp nodes show ID`, then `ffrtmp nodes resume ID`",
    ),
    "offline": ("offline", "start its agent, or forget it with `ffrtmp nodes rm ID`"),
    "unapproved": (
        "waiting for approval",
        "compare its id with what its agent says, then `ffrtmp nodes approve ID`",
    ),
}


def concerns(status: dict[str, Any]) -> list[Concern]:
    """What needs somebody, by the answer of `GET /status`; empty if all is well."""
    return [*_queue(status), *_nodes(status)]


def _queue(status: dict[str, Any]) -> Iterator[Concern]:
    waiting = sum(each["jobs"] for each in status["waiting"].values())
    if status["paused"]:
        yield _concern(f"the queue is paused, and {counted(waiting, 'job')} waiting", "ffrtmp queue resume")
        return
    for stuck in status["stuck"]:
        yield _concern(
            f"{counted(stuck['jobs'], 'job')} that no node can take: {stuck['reason'] or 'unknown why'}",
            f"add or mend such a node, or see what it asks for: ffrtmp jobs show {stuck['job_id']}",
        )


def _nodes(status: dict[str, Any]) -> Iterator[Concern]:
    for name, (problem, todo) in _NODES.items():
        count = status["nodes"][name]
        if count:
            yield _concern(f"{counted(count, 'node')} {problem}", f"{todo} (ffrtmp nodes list)")


def _concern(problem: str, todo: str) -> Concern:
    return {"problem": problem, "todo": todo}
