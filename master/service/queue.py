"""The verbs of the queue as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from common.model import JobStatus, Role
from master.lifecycle import commands
from master.service.again import again
from master.service.farm import Farm
from master.service.views import Caller
from master.store.interface import Transaction


@dataclass(frozen=True, slots=True)
class QueueView:
    """How the queue stands."""

    paused: bool
    counts: dict[JobStatus, int]
    """How many jobs have each status."""


def get(farm: Farm) -> QueueView:
    """How the queue stands."""
    with farm.store.transaction(farm.clock()) as tx:
        return _view(tx)


@again
def change(farm: Farm, caller: Caller, command: commands.PauseQueue | commands.ResumeQueue) -> QueueView:
    """Stop giving jobs out, or go on; running jobs are left alone. Asking twice changes nothing more."""
    with farm.store.transaction(farm.clock(), caller.actor) as tx:
        farm.decide(tx, command)
        return _view(tx)


@again
def compare_histories(farm: Farm, caller: Caller) -> None:
    """If an agent was told more than this state knows of, it is an older copy: number attempts anew.

    Only operators and approved nodes are believed: anybody can send a header.
    """
    known = caller.role in (Role.OPERATOR, Role.NODE)
    if known and caller.heard is not None and caller.heard.start != farm.start:
        with farm.store.transaction(farm.clock(), caller.actor) as tx:
            node = tx.node(caller.node_id or "")
            if caller.role is Role.OPERATOR or (node is not None and node.approved):
                farm.decide(tx, commands.Rewind(caller.heard, tx.history()))


def _view(tx: Transaction) -> QueueView:
    return QueueView(tx.farm().paused, {status: tx.count(status) for status in JobStatus})
