"""The node registry."""

from __future__ import annotations

from flask import Blueprint, Response

from common.schema import HeartbeatSchema, LeaveSchema, RegisterSchema
from master.api.answers import body, caller, farm, json_response, no_body
from master.api.documents import node_document
from master.lifecycle import commands
from master.service import nodes as service

blueprint = Blueprint("nodes", __name__)


@blueprint.post("/nodes/register")
def register() -> Response:
    """Make a node known, or known again."""
    view = service.register(farm(), caller(), body(RegisterSchema()))
    return json_response({**node_document(view), **_terms()}, 201)


def _terms() -> dict[str, float]:
    """How long the master waits for signs of life: an agent must give them more often."""
    return {"heartbeat_timeout": farm().config.heartbeat_timeout, "lease": farm().config.lease}


@blueprint.get("/nodes")
def all_nodes() -> Response:
    """All nodes."""
    nodes = [node_document(view) for view in service.all_nodes(farm())]
    return json_response({"nodes": nodes, "count": len(nodes)})


@blueprint.get("/nodes/<node_id>")
def one(node_id: str) -> Response:
    """One node."""
    return json_response(node_document(service.get(farm(), node_id)))


@blueprint.delete("/nodes/<node_id>")
def remove(node_id: str) -> Response:
    """Forget a node; the jobs it runs go back to the queue."""
    service.remove(farm(), caller(), node_id)
    return Response(status=204)


@blueprint.post("/nodes/<node_id>/heartbeat")
def heartbeat(node_id: str) -> Response:
    """A sign of life, which renews leases."""
    sent = body(HeartbeatSchema(), optional=True)
    view, held = service.heartbeat(farm(), caller(), node_id, sent["leases"], stopping=sent["stopping"])
    return json_response({"status": view.status, "leases": held, **_terms()})


@blueprint.post("/nodes/<node_id>/leave")
def leave(node_id: str) -> Response:
    """The node's agent ends."""
    service.leave(farm(), caller(), node_id, body(LeaveSchema(), optional=True)["instance"])
    return Response(status=204)


@blueprint.post("/nodes/<node_id>/approve")
def approve(node_id: str) -> Response:
    """Let a node from another machine take jobs."""
    no_body()
    return json_response(node_document(service.change(farm(), caller(), node_id, commands.Approve())))


@blueprint.post("/nodes/<node_id>/drain")
def drain(node_id: str) -> Response:
    """Let a node finish what it has, and give it nothing new."""
    no_body()
    return json_response(node_document(service.change(farm(), caller(), node_id, commands.Drain())))


@blueprint.post("/nodes/<node_id>/resume")
def resume(node_id: str) -> Response:
    """Give a drained node jobs again."""
    no_body()
    return json_response(node_document(service.change(farm(), caller(), node_id, commands.Resume())))
