"""The verbs of nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields as fields_of
from typing import Any

from common import problems
from common.model import Hardware, Load, Node, Now, Role
from common.tokens import hash_secret
from master.lifecycle import commands
from master.lifecycle.tokens import unknown
from master.service.again import again
from master.service.farm import Farm, new_id, throttle
from master.service.views import Caller, JobView, NodeView
from master.store.recent import Ended
from master.store.samples import Sample

MAX_UNAPPROVED = 100
"""Nodes that may wait for approval at once; anybody can register one."""
ROTATES_SINCE = 3
"""The protocol (`common.version`) from which on agents replace their credentials."""
_HARDWARE = tuple(field.name for field in fields_of(Hardware))


def register(farm: Farm, caller: Caller, fields: Mapping[str, Any]) -> NodeView:
    """Make a node known, or known again; without an operator or a join token, it has to be approved.

    A repeat with the same id and credential is answered like the first. `forbidden` if
    the id belongs to a node with another credential, `identity_in_use` if its agent is another
    process that still lives; see `lifecycle.tokens` and `lifecycle.credentials` for other refusals.
    """
    if caller.role is not Role.OPERATOR and not fields["credential"]:
        raise problems.UNAUTHENTICATED(
            "A node that registers from another machine sends a `credential` of its own making "
            "(32 characters or more), to be known by from then on."
        )
    now = farm.clock()
    if caller.role in (Role.ANYONE, Role.JOIN):
        throttle(farm.joins, caller.address or "", now)
    node = _node_from(fields, caller, now)
    if caller.role is Role.ANYONE and caller.credential_hash not in (None, node.credential_hash):
        raise unknown()
    with farm.store.transaction(now, caller.actor) as tx:
        old = tx.node(node.id)
        stranger = old is not None and not old.is_known_by(node.credential_hash)
        if stranger and caller.role is not Role.OPERATOR:
            raise problems.FORBIDDEN(
                "This node id belongs to an agent with another credential. To register as a new "
                "node, start the agent with another --state-dir."
            )
        waiting = sum(not known.approved for known in tx.nodes())
        if old is None and not node.approved and waiting >= MAX_UNAPPROVED:
            raise problems.TOO_MANY(
                f"{waiting} nodes wait for approval already; an operator approves or removes them."
            )
        exclusive = caller.protocol is not None  # who says it can also say whom it replaces
        rotates = (caller.protocol or 0) >= ROTATES_SINCE
        token = tx.token(caller.token_id) if caller.role is Role.JOIN and caller.token_id else None
        farm.decide(tx, commands.Register(node, caller.replaces, exclusive, rotates), node=old, token=token)
        farm.hear(tx, caller, node.id)
        return farm.node_view(tx, node.id)


def _node_from(fields: Mapping[str, Any], caller: Caller, now: Now) -> Node:
    hardware = {name: fields[name] for name in _HARDWARE}
    hardware["encoders"] = _sorted(hardware["encoders"])
    return Node(
        id=fields["id"] or new_id(),
        address=fields["address"],
        hardware=Hardware(**hardware),
        labels=dict(fields["labels"]),
        registered_at=now.wall,
        max_concurrent_jobs=fields["max_concurrent_jobs"],
        run_unlabeled=fields["run_unlabeled"],
        agent_version=fields["agent_version"],
        media_roots=_sorted(fields["media_roots"]),
        input_hosts=_sorted(fields["input_hosts"]),
        output_roots=_sorted(fields["output_roots"]),
        output_hosts=_sorted(fields["output_hosts"]),
        energy_source=fields["energy_source"],
        protocol=caller.protocol or 0,
        instance=fields["instance"],
        credential_hash=hash_secret(fields["credential"]) if fields["credential"] else None,
        approved=caller.role in (Role.OPERATOR, Role.JOIN),
    )


def _sorted(names: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted(set(names)))


@again
def heartbeat(
    farm: Farm,
    caller: Caller,
    node_id: str,
    leases: Sequence[str] | None,
    *,
    stopping: bool = False,
    load: Load | None = None,
) -> tuple[NodeView, list[str]]:
    """A sign of life; answers the node and those of its leases that still hold.

    `leases` are the ones it works on: they are renewed. None (a plain heartbeat) renews all.
    `stopping`: its agent is ending, so it gets nothing new until it registers again. `load`: how busy it is.
    """
    caller.speaks_for(node_id)
    now = farm.clock()
    with farm.store.transaction(now, caller.actor) as tx:
        farm.require_node(tx, node_id)
        farm.hear(tx, caller, node_id, stopping=stopping)
        held = [job.lease.lease_id for job in tx.held(node_id) if job.lease is not None]
        for lease_id in held if leases is None else set(held) & set(leases):
            farm.store.liveness.renew(lease_id, now)
        farm.sample(tx, node_id, load)
        return farm.node_view(tx, node_id), held


@again
def leave(farm: Farm, caller: Caller, node_id: str, instance: str | None) -> None:
    """The node's agent ends: the node is offline at once, and what it still holds is handed back."""
    caller.speaks_for(node_id)
    with farm.store.transaction(farm.clock(), caller.actor) as tx:
        farm.decide(tx, commands.Leave(instance), node=farm.require_node(tx, node_id))


@again
def replace_credential(farm: Farm, caller: Caller, node_id: str, credential: str) -> NodeView:
    """The node's agent made itself a new credential; the same again changes nothing more."""
    caller.speaks_for(node_id)
    with farm.store.transaction(farm.clock(), caller.actor) as tx:
        node = farm.require_node(tx, node_id)
        command = commands.ReplaceCredential(caller.credential_hash, hash_secret(credential))
        farm.decide(tx, command, node=node)
        return farm.node_view(tx, node_id)


def all_nodes(farm: Farm) -> list[NodeView]:
    """All nodes, in the order of their registration."""
    with farm.store.transaction(farm.clock()) as tx:
        return [farm.node_view(tx, node.id) for node in tx.nodes()]


def names(farm: Farm) -> dict[str, str]:
    """What people know each node by, by its id."""
    with farm.store.transaction(farm.clock()) as tx:
        return {node.id: node.address for node in tx.nodes()}


def get(farm: Farm, node_id: str) -> NodeView:
    """One node, or `unknown_node`."""
    with farm.store.transaction(farm.clock()) as tx:
        return farm.node_view(tx, node_id)


def recent(farm: Farm, node_id: str) -> tuple[NodeView, list[JobView], list[Ended], list[Sample]]:
    """One node as its page shows it, or `unknown_node`: itself, the jobs that it runs as they are, its newest
    attempts (newest first), and what was heard of its load (oldest first).
    """
    with farm.store.transaction(farm.clock()) as tx:
        view = farm.node_view(tx, node_id)
        running = [farm.job_view(tx, job) for job in view.held]
        return view, running, tx.recent(node_id), farm.store.liveness.samples.of(node_id)


@again
def change(farm: Farm, caller: Caller, node_id: str, command: commands.NodeCommand) -> NodeView:
    """Approve, drain, resume or revoke a node; asking twice changes nothing more."""
    with farm.store.transaction(farm.clock(), caller.actor) as tx:
        farm.decide(tx, command, node=farm.require_node(tx, node_id))
        return farm.node_view(tx, node_id)


@again
def remove(farm: Farm, caller: Caller, node_id: str) -> None:
    """Take a node out of the registry; the jobs it runs go back."""
    with farm.store.transaction(farm.clock(), caller.actor) as tx:
        farm.decide(tx, commands.Remove(), node=farm.require_node(tx, node_id))
