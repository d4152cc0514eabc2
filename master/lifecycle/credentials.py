"""The rules of nodes' credentials: how long one is valid, and how the next takes its place."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta

from common import problems
from common.model import Node, Now
from master.lifecycle import commands as c
from master.lifecycle import events as e
from master.lifecycle.view import View

OVERLAP = timedelta(hours=24)
"""How long a replaced credential is valid at most, if the new one is not used."""


def expiry(view: View, now: Now) -> datetime:
    """When a credential expires that is given now."""
    return now.wall + timedelta(seconds=view.credential_ttl)


def expired(node: Node, digest: str | None, now: Now) -> bool:
    """Whether the node's credential with this SHA-256 is out of date."""
    end = node.expiry_of(digest)
    return end is not None and end <= now.wall


def check(node: Node, digest: str | None, now: Now) -> None:
    """`credential_revoked` or `credential_expired` unless the node's credential is valid.

    Only to be called for who has shown it.
    """
    if node.revoked_at is not None:
        raise problems.CREDENTIAL_REVOKED(
            f"An operator revoked the credential of node {node.id} ({node.address}), and it stays so. To "
            "bring this machine back as a new node, delete the agent's identity.json, and start it with a "
            "join token (ffrtmp tokens create --role join), or let an operator approve it. "
            f"ffrtmp nodes rm {node.id} removes the old one."
        )
    if expired(node, digest, now):
        raise problems.CREDENTIAL_EXPIRED(
            f"The credential of node {node.id} ({node.address}) has expired. To bring it back, an operator "
            f"gives it another term (ffrtmp nodes approve {node.id}), or start the agent with a join token "
            "(ffrtmp tokens create --role join)."
        )


def after_registration(old: Node, new: Node, *, vouched: bool) -> Node:
    """`new` with the credential that counts when it registers again as the known node `old`.

    Who is vouched for gets a full term; registering alone extends nothing.
    """
    if vouched and new.credential_hash is not None:
        return new
    newest = new.credential_hash == old.credential_hash
    return dataclasses.replace(
        new,
        credential_hash=old.credential_hash,
        credential_expires_at=old.credential_expires_at,
        replaced_hash=None if newest else old.replaced_hash,
        replaced_expires_at=None if newest else old.replaced_expires_at,
    )


def replace(view: View, command: c.ReplaceCredential, now: Now) -> Sequence[e.Event]:
    """The new one counts; the one that was shown is valid until that is used: it may get lost on the way."""
    node = view.the_node()
    if command.new == node.credential_hash:
        return []  # the answer to the first try was lost
    shown = command.shown or node.credential_hash
    if command.new == shown:
        raise problems.invalid_field("credential", "Must be a new one.")
    until = min(filter(None, (now.wall + OVERLAP, node.expiry_of(shown))))
    return [e.NodeCredentialReplaced(node.id, now.wall, command.new, expiry(view, now), shown, until)]


def confirm(view: View, _command: c.ConfirmCredential, now: Now) -> Sequence[e.Event]:
    """The one before is worth nothing from now on."""
    node = view.the_node()
    return [] if node.replaced_hash is None else [e.NodeCredentialConfirmed(node.id, now.wall)]
