"""`ffrtmp nodes`: the registry."""

from __future__ import annotations

from typing import Any

import click

from common.client import MasterClient
from master.operator import tables
from master.operator.talk import full_id, talks


@click.group()
def nodes() -> None:
    """Worker machines."""


@nodes.command("list")
@talks
def list_nodes(client: MasterClient) -> Any:
    """All nodes, with what they are doing."""
    return tables.nodes(client.nodes())


@nodes.command("show")
@click.argument("node_id")
@talks
def show_node(client: MasterClient, node_id: str) -> Any:
    """All that is known of a node."""
    return tables.document(client.node(full_id(node_id, client.nodes())))


def _node_verb(verb: str, text: str, done: str) -> None:
    @nodes.command(verb, help=text)
    @click.argument("node_id")
    @talks
    def command(client: MasterClient, node_id: str) -> Any:
        node = client.change_node(full_id(node_id, client.nodes()), verb)
        return tables.said(node, f"Node {node['id']} ({node['address']}) {done}; it is {node['status']}.")


_node_verb("approve", "Let a node from another machine take jobs.", "is approved")
_node_verb("drain", "Let a node finish what it has, and give it nothing new.", "drains")
_node_verb("revoke", "Turn a node away: its credential is worth nothing any more.", "is turned away")
_node_verb("resume", "Give a node jobs again that was drained or set aside.", "takes jobs again")


@nodes.command("rm")
@click.argument("node_id")
@talks
def remove_node(client: MasterClient, node_id: str) -> Any:
    """Forget a node; the jobs it runs go back to the queue."""
    found = full_id(node_id, client.nodes())
    client.remove_node(found)
    return tables.said({"id": found}, f"Node {found} is removed.")
