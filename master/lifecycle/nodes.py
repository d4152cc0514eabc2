"""The rules of nodes: how they come, how they stand, how they go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from common import problems
from common.durations import format_duration
from common.model import Failure, FarmState, Job, Node, Now
from common.problems import Problem
from master.lifecycle import commands as c
from master.lifecycle import credentials, tokens
from master.lifecycle import events as e
from master.lifecycle.attempts import against, handed_back, lost
from master.lifecycle.view import View


def same_agent(node: Node, instance: str | None, farm: FarmState) -> None:
    """`identity_in_use` if another process than `instance` works as this node; None does not say.

    `unknown_node` if it may have registered in a history that was lost: then it does so again.
    """
    if None in (instance, node.instance) or instance == node.instance:
        return
    if _outdated(node, farm):
        raise problems.UNKNOWN_NODE(
            f"The agent of node {node.id} may have been started anew since the state that the master has: "
            "POST /nodes/register makes it known again."
        )
    raise problems.IDENTITY_IN_USE(
        f"Another agent has registered as node {node.id} ({node.address}), and took over. If both are "
        "wanted, one needs a state directory of its own: this identity is a copy."
    )


def _outdated(node: Node, farm: FarmState) -> bool:
    """Whether the master's state was replaced by an older copy since the node registered."""
    return node.registered_above < farm.attempts_above


def register(view: View, command: c.Register, now: Now) -> Sequence[e.Event]:
    """A restarted agent (another instance) has forgotten its jobs; they are tried anew."""
    new, old = command.node, view.node
    happened = _use_token(view, command, now)
    vouched = new.approved and (view.token is None or bool(happened))
    new = replace(new, registered_above=view.farm.attempts_above)
    if command.rotates and new.credential_hash is not None:
        new = replace(new, credential_expires_at=credentials.expiry(view, now))
    if old is None:
        return [e.NodeRegistered(new, now.wall), *happened]
    if old.revoked_at is not None or not vouched:
        _check_standing(old, new, now)
    if not _outdated(old, view.farm):
        _alone(view, old, command)
    if new.instance is None or new.instance != old.instance:
        error = Failure("agent_restarted", f"the agent of node {old.address} was started anew")
        happened += _all_lost(old, view.held, error, view, now)
    known = replace(
        credentials.after_registration(old, new, vouched=vouched),
        registered_at=old.registered_at,
        approved=old.approved or new.approved,
        draining=old.draining,
        failing=old.failing,
        quarantined=old.quarantined,
    )
    return [e.NodeRegistered(known, now.wall), *happened]


def _use_token(view: View, command: c.Register, now: Now) -> list[e.Event]:
    """What a join token is used for. `tokens.check` refuses one that is worth nothing.

    A node that is in already uses up nothing of it, whatever it is worth by now: the answer to its
    first registration may have been lost.
    """
    new, old, token = command.node, view.node, view.token
    is_in = old is not None and old.approved and not credentials.expired(old, new.credential_hash, now)
    if token is None or is_in or (old is not None and old.revoked_at is not None):
        return []
    tokens.check(token, now)
    return [e.TokenUsed(token.id, now.wall, new.id)]


def _check_standing(old: Node, new: Node, now: Now) -> None:
    """Refuse who is revoked, and whose credential has expired while nobody vouches for it."""
    if not old.is_known_by(new.credential_hash):  # an operator may register a node by hand
        raise _revoked(old)
    credentials.check(old, new.credential_hash, now)


def _revoked(node: Node) -> Problem:
    return problems.NODE_REVOKED(
        f"Node {node.id} ({node.address}) was revoked, and stays so. Remove it (ffrtmp nodes rm {node.id}), "
        "and let its machine join as a new node."
    )


def _alone(view: View, old: Node, command: c.Register) -> None:
    """`identity_in_use` while the agent that has this identity is there, and is not known to have ended."""
    new = command.node.instance
    ended = old.lost or view.silence > view.patience or command.replaces == old.instance
    if command.exclusive and None not in (new, old.instance) and new != old.instance and not ended:
        raise problems.IDENTITY_IN_USE(
            f"Another agent works as node {old.id} ({old.address}); it was heard "
            f"{format_duration(view.silence)} ago. If this one is a copy, start it with another --state-dir. "
            f"If that one is gone, try again in {format_duration(view.patience - view.silence)}."
        )


def hear(view: View, command: c.Hear, now: Now) -> Sequence[e.Event]:
    """A sign of life; a node that was lost comes back by it."""
    node = view.the_node()
    if node.revoked_at is not None:
        raise _revoked(node)
    happened: list[e.Event] = [e.NodeReturned(node.id, now.wall)] if node.lost else []
    if command.stopping and not node.stopping:
        happened.append(e.NodeStopping(node.id, now.wall))
    return happened


def approve(view: View, _command: c.Approve, now: Now) -> Sequence[e.Event]:
    """Let it take jobs; if its credential has expired, that gets another term."""
    node = view.the_node()
    if node.revoked_at is not None:
        raise _revoked(node)
    happened: list[e.Event] = [] if node.approved else [e.NodeApproved(node.id, now.wall)]
    if credentials.expired(node, node.credential_hash, now):
        happened.append(e.NodeCredentialExtended(node.id, now.wall, credentials.expiry(view, now)))
    return happened


def drain(view: View, _command: c.Drain, now: Now) -> Sequence[e.Event]:
    """Give it nothing new."""
    node = view.the_node()
    return [] if node.draining else [e.NodeDraining(node.id, now.wall)]


def resume(view: View, _command: c.Resume, now: Now) -> Sequence[e.Event]:
    """Give it jobs again, and forget what failed on it."""
    node = view.the_node()
    return [e.NodeResumed(node.id, now.wall)] if node.draining or node.quarantined is not None else []


def lose(view: View, command: c.Lose, now: Now) -> Sequence[e.Event]:
    """It fell silent: its jobs go back."""
    node = view.the_node()
    if node.lost:
        return []
    error = Failure("node_lost", _silence(node, command, now))
    return _gone(node, command.last_seen, _all_lost(node, view.held, error, view, now), now)


def leave(view: View, command: c.Leave, now: Now) -> Sequence[e.Event]:
    """What the node still holds, it has handed back: its agent says that it runs nothing more."""
    node = view.the_node()
    if node.lost or command.instance not in (None, node.instance):
        return []  # a late goodbye of an agent that was started anew
    return _gone(node, now.wall, [handed_back(job, now) for job in view.held], now)


def revoke(view: View, _command: c.Revoke, now: Now) -> Sequence[e.Event]:
    """Its credential is worth nothing any more, and its jobs go back; it is listed until it is removed."""
    node = view.the_node()
    if node.revoked_at is not None:
        return []
    error = Failure("node_revoked", f"node {node.address} was revoked")
    return [e.NodeRevoked(node.id, now.wall), *(lost(job, error, view, now) for job in view.held)]


def remove(view: View, _command: c.Remove, now: Now) -> Sequence[e.Event]:
    """Its jobs go back; an agent that still runs registers again as a new node."""
    node = view.the_node()
    error = Failure("node_removed", f"node {node.address} was removed")
    return [*(lost(job, error, view, now) for job in view.held), e.NodeRemoved(node.id, now.wall)]


def _all_lost(node: Node, held: Sequence[Job], error: Failure, view: View, now: Now) -> Sequence[e.Event]:
    """All its jobs are lost, by one cause: so it counts against the node once."""
    happened = [lost(job, error, view, now) for job in held]
    return [*happened, *against(node, held[0].id, error, view, now)] if held else []


def _gone(node: Node, last_seen: datetime | None, jobs: Sequence[e.Event], now: Now) -> Sequence[e.Event]:
    """A node that nobody approved is not worth remembering once it is gone; it has no jobs."""
    if not node.approved and node.revoked_at is None:
        return [e.NodeRemoved(node.id, now.wall)]
    return [e.NodeLost(node.id, now.wall, last_seen), *jobs]


def _silence(node: Node, command: c.Lose, now: Now) -> str:
    if command.last_seen is None:
        return f"node {node.address} was not heard of"
    seconds = max(0.0, (now.wall - command.last_seen).total_seconds())
    return f"node {node.address} was not heard of for {format_duration(seconds)}"
