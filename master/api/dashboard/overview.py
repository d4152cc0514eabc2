"""The farm at a glance, and what its buttons do."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import validate

from common.fields import Matches, StrictString
from common.schema import Strict
from common.timestamps import timestamp
from master.api.answers import caller, farm
from master.api.dashboard.page import back_to, blueprint, form, page
from master.api.documents import job_document, node_document, result_document
from master.lifecycle import commands
from master.service import JobView, glance, nodes, queue

_IN_NEED = ("unapproved", "quarantined", "offline")
MOST_NODES = 50
"""Nodes that the page lists; those that need somebody are shown first."""
_NODE_COMMANDS: dict[str, commands.NodeCommand] = {
    "approve": commands.Approve(),
    "drain": commands.Drain(),
    "resume": commands.Resume(),
    "revoke": commands.Revoke(),
}
_QUEUE_COMMANDS: dict[str, commands.PauseQueue | commands.ResumeQueue] = {
    "pause": commands.PauseQueue(),
    "resume": commands.ResumeQueue(),
}
_BACK = Matches(r"/(ui/[A-Za-z0-9/_.-]{0,200})?", "Must be one of the master's own pages.")


class NodeForm(Strict):
    """What is to be done with a node."""

    do = StrictString(required=True, validate=validate.OneOf([*_NODE_COMMANDS, "remove"]))
    node_id = StrictString(required=True, validate=validate.Length(1, 255))
    back = StrictString(load_default="/", validate=_BACK)


class QueueForm(Strict):
    """What is to be done with the queue."""

    do = StrictString(required=True, validate=validate.OneOf(list(_QUEUE_COMMANDS)))
    back = StrictString(load_default="/", validate=_BACK)


@blueprint.get("/")
def home() -> Response:
    """The farm at a glance."""
    seen = glance.get(farm(), caller())
    return page("overview.html", **_shown(seen))


def _shown(seen: glance.Glance) -> dict[str, Any]:
    documents = [node_document(view) for view in seen.nodes]
    by_need = sorted(documents, key=lambda node: node["status"] not in _IN_NEED)
    return {
        "counts": seen.counts,
        "paused": seen.paused,
        "running": [job_document(view) for view in seen.running],
        "finished": [_ended(job) for job in seen.finished],
        "failed": [_ended(job) for job in seen.failed],
        "depths": {priority: (each.jobs, timestamp(each.oldest)) for priority, each in seen.depths.items()},
        "nodes": by_need[:MOST_NODES],
        "more_nodes": max(0, len(by_need) - MOST_NODES),
        "slots": _slots(seen),
        "stuck": [(each.jobs, job_document(each.first)) for each in seen.stuck[:5]],
    }


def _ended(job: Any) -> dict[str, Any]:
    return {**job_document(JobView(job)), "metrics": result_document(job)["metrics"] or {}}


def _slots(seen: glance.Glance) -> tuple[int, int]:
    """How many slots are taken, and how many there are, of the nodes that work."""
    at_work = [view for view in seen.nodes if view.status in ("available", "busy", "draining")]
    taken = sum(view.node.slots_taken(view.held) for view in at_work)
    return taken, sum(view.node.max_concurrent_jobs for view in at_work)


@blueprint.post("/ui/nodes/change")
def change_node() -> Response:
    """Approve, drain, resume, revoke or remove a node."""
    sent = form(NodeForm)
    if sent["do"] == "remove":
        nodes.remove(farm(), caller(), sent["node_id"])
    else:
        nodes.change(farm(), caller(), sent["node_id"], _NODE_COMMANDS[sent["do"]])
    return back_to(sent["back"])


@blueprint.post("/ui/queue")
def change_queue() -> Response:
    """Pause or resume the queue."""
    sent = form(QueueForm)
    queue.change(farm(), caller(), _QUEUE_COMMANDS[sent["do"]])
    return back_to(sent["back"])
