"""The node registry."""

from __future__ import annotations

from flask import Blueprint, Response

from common.schema import CredentialSchema, HeartbeatSchema, LeaveSchema, RegisterSchema
from master.api.answers import body, caller, farm, json_response, no_body
from master.api.documents import node_document
from master.lifecycle import commands
from master.service import NodeView
from master.service import nodes as service

blueprint = Blueprint("nodes", __name__)


@blueprint.post("/nodes/register")
def register() -> Response:
    """Make a node known, or known again."""
    view = service.register(farm(), caller(), body(RegisterSchema()))
    return json_response({**node_document(view), **_terms(view)}, 201)


def _terms(view: NodeView) -> dict[str, float | None]:
    """How long the master waits for signs of life, which an agent must give more often; and when the
    agent must replace its credential.
    """
    config, expires_at = farm().config, view.node.credential_expires_at
    left = None if expires_at is None else (expires_at - farm().clock().wall).total_seconds()
    return {
        "heartbeat_timeout": config.heartbeat_timeout,
        "lease": config.lease,
        "credential_ttl": config.credential_ttl,
        "credential_expires_in": left,
    }


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
    return json_response({"status": view.status, "leases": held, **_terms(view)})


@blueprint.post("/nodes/<node_id>/credential")
def replace_credential(node_id: str) -> Response:
    """The node's agent replaces its credential."""
    sent = body(CredentialSchema())
    return json_response(_terms(service.replace_credential(farm(), caller(), node_id, sent["credential"])))


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


@blueprint.post("/nodes/<node_id>/revoke")
def revoke(node_id: str) -> Response:
    """Turn a node away: its credential is worth nothing any more, and its jobs go back to the queue."""
    no_body()
    return json_response(node_document(service.change(farm(), caller(), node_id, commands.Revoke())))
