"""The node registry."""

from __future__ import annotations

from flask import Blueprint

from common import problems
from common.documents import HeardSchema, NodeSchema, NodesSchema, RegisteredSchema, TermsSchema
from common.schema import MAX_REPORTS, CredentialSchema, HeartbeatSchema, LeaveSchema, RegisterSchema
from master.api.answers import Answer, body, caller, farm, json_answer, no_body
from master.api.described import HEARD, INSTANCE, REPLACES, Link, describe
from master.api.documents import node_document
from master.lifecycle import commands
from master.service import NodeView
from master.service import nodes as service

blueprint = Blueprint("nodes", __name__)

_THIS = {"node_id": "/id"}
_AGENT = (INSTANCE, HEARD)
_UNKNOWN = (problems.UNKNOWN_NODE,)


@blueprint.post("/nodes/register")
@describe(
    RegisteredSchema,
    status=201,
    takes=RegisterSchema,
    headers=(*_AGENT, REPLACES),
    problems=(
        problems.UNAUTHENTICATED,
        problems.CREDENTIAL_EXPIRED,
        problems.CREDENTIAL_REVOKED,
        problems.TOKEN_EXPIRED,
        problems.TOKEN_REVOKED,
        problems.TOKEN_USED_UP,
        problems.FORBIDDEN,
        problems.TOO_MANY,
        problems.IDENTITY_IN_USE,
        problems.NODE_REVOKED,
    ),
    links=(
        Link("nodes.one", _THIS),
        Link("nodes.heartbeat", _THIS),
        Link("nodes.drain", _THIS),
        Link("nodes.resume", _THIS),
        Link("nodes.approve", _THIS),
        Link("nodes.leave", _THIS),
        Link("nodes.remove", _THIS),
        Link("work.next_job", _THIS),
    ),
)
def register() -> Answer:
    """Make a node known, or known again.

    With the same `id` and `credential` it is the same node. Registered by an operator it is approved;
    registered by anyone else it needs a `credential` and waits for approval. An agent that registers with
    another `instance` has been started anew, and the jobs that it held go back to the queue.
    """
    view = service.register(farm(), caller(), body())
    return json_answer({**node_document(view), **_terms(view)}, 201)


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
        "max_claims": MAX_REPORTS,
    }


@blueprint.get("/nodes")
@describe(NodesSchema, slow=True)
def all_nodes() -> Answer:
    """All nodes, in the order of their registration."""
    nodes = [node_document(view) for view in service.all_nodes(farm())]
    return json_answer({"nodes": nodes, "count": len(nodes)})


@blueprint.get("/nodes/<node_id>")
@describe(NodeSchema, problems=_UNKNOWN)
def one(node_id: str) -> Answer:
    """One node."""
    return json_answer(node_document(service.get(farm(), node_id)))


@blueprint.delete("/nodes/<node_id>")
@describe(status=204, problems=_UNKNOWN, links=(Link("nodes.one", {"node_id": "$request.path.node_id"}),))
def remove(node_id: str) -> Answer:
    """Forget a node.

    The jobs that it runs go back to the queue, and its credential is worth nothing.
    """
    service.remove(farm(), caller(), node_id)
    return Answer()


@blueprint.post("/nodes/<node_id>/heartbeat")
@describe(
    HeardSchema,
    takes=HeartbeatSchema,
    optional=True,
    headers=_AGENT,
    problems=(problems.FORBIDDEN, problems.UNKNOWN_NODE, problems.IDENTITY_IN_USE, problems.NODE_REVOKED),
)
def heartbeat(node_id: str) -> Answer:
    """A sign of life.

    It renews the leases it names, or all if it names none; a node that was lost is back.
    """
    sent = body()
    view, held = service.heartbeat(
        farm(), caller(), node_id, sent["leases"], stopping=sent["stopping"], load=sent["load"]
    )
    return json_answer({"status": view.status, "leases": held, **_terms(view)})


@blueprint.post("/nodes/<node_id>/credential")
@describe(
    TermsSchema,
    takes=CredentialSchema,
    headers=_AGENT,
    problems=(problems.FORBIDDEN, problems.UNKNOWN_NODE, problems.IDENTITY_IN_USE, problems.NODE_REVOKED),
)
def replace_credential(node_id: str) -> Answer:
    """The node's agent replaces its credential.

    The old one is good for a while, or until the new one is used; so the request can be repeated.
    """
    new = body()["credential"]
    return json_answer(_terms(service.replace_credential(farm(), caller(), node_id, new)))


@blueprint.post("/nodes/<node_id>/leave")
@describe(
    status=204,
    takes=LeaveSchema,
    optional=True,
    headers=_AGENT,
    problems=(problems.FORBIDDEN, problems.UNKNOWN_NODE),
)
def leave(node_id: str) -> Answer:
    """The node's agent ends.

    The node is offline at once, and what it still holds is handed back: it uses up no attempt. The
    node is back when it is heard of again.
    """
    service.leave(farm(), caller(), node_id, body()["instance"])
    return Answer()


@blueprint.post("/nodes/<node_id>/approve")
@describe(NodeSchema, problems=(*_UNKNOWN, problems.NODE_REVOKED))
def approve(node_id: str) -> Answer:
    """Let a node take jobs that anyone registered. Asking twice changes nothing more."""
    no_body()
    return json_answer(node_document(service.change(farm(), caller(), node_id, commands.Approve())))


@blueprint.post("/nodes/<node_id>/drain")
@describe(NodeSchema, problems=_UNKNOWN)
def drain(node_id: str) -> Answer:
    """Let a node finish what it has, and give it nothing new."""
    no_body()
    return json_answer(node_document(service.change(farm(), caller(), node_id, commands.Drain())))


@blueprint.post("/nodes/<node_id>/resume")
@describe(NodeSchema, problems=_UNKNOWN)
def resume(node_id: str) -> Answer:
    """Give a node jobs again that was drained or quarantined."""
    no_body()
    return json_answer(node_document(service.change(farm(), caller(), node_id, commands.Resume())))


@blueprint.post("/nodes/<node_id>/revoke")
@describe(NodeSchema, problems=_UNKNOWN)
def revoke(node_id: str) -> Answer:
    """Turn a node away: its credential is worth nothing any more, and its jobs go back to the queue."""
    no_body()
    return json_answer(node_document(service.change(farm(), caller(), node_id, commands.Revoke())))
