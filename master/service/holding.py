"""What the rules may look at when a command is decided: the records that it concerns, held meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from common.model import Job, Node, Stage, Token, Webhook
from common.split import MOST_CHUNKS
from master.config import Config
from master.lifecycle import View, commands
from master.store.interface import Held, Liveness, Transaction

_OF_NO_FAMILY = (commands.Claim, commands.Hear, commands.ConfirmCredential)
"""Commands that come often, and bring nothing about in the families of jobs."""
_OF_ITS_JOB = (commands.Finish,)
"""Commands for which it does not matter what else runs on the node: each is about one job, and its family."""
_MOST_PARTS = 2 * MOST_CHUNKS + 100
"""Jobs that are queued at most when one is divided: looks, chunks, sound, rungs."""


def view_of(
    tx: Transaction,
    config: Config,
    liveness: Liveness,
    command: commands.Command,
    *,
    job: Job | None,
    node: Node | None,
    token: Token | None,
    webhook: Webhook | None,
) -> View:
    """The view for `command`, with these records as they are now.

    They are held one kind after the other, always in this order: so no two wait for each other.
    """
    token, webhook, node = _one(tx, token), _one(tx, webhook), _one(tx, node)
    held = () if node is None or isinstance(command, _OF_ITS_JOB) else tx.held(node.id)
    alone = isinstance(command, _OF_NO_FAMILY)  # then what else runs on the node is only counted
    if alone or not held:
        job = _one(tx, job)
    else:
        jobs = {each.id: each for each in tx.hold([*held, *_known(job)])}
        held = tuple(jobs[each.id] for each in held if _runs_on(jobs[each.id], node))
        job = None if job is None else jobs[job.id]
    return View(
        job,
        node,
        held,
        token,
        webhook,
        tx.farm(),
        family=() if alone else tx.family(*held, *_known(job)),
        links=tx.links(),
        next_seq=_next_seq(tx, command, job),
        silence=0.0 if node is None else liveness.silence(node.id, tx.now),
        backoff=config.retry_backoff,
        patience=config.heartbeat_timeout,
        quarantine_after=config.quarantine_after,
        credential_ttl=config.credential_ttl,
    )


def _next_seq(tx: Transaction, command: commands.Command, job: Job | None) -> int:
    """The place of the first of the jobs that may be queued, which nobody submitted; 0: there are none."""
    if isinstance(command, commands.ClaimTwin):
        return tx.next_seq()
    if isinstance(command, commands.Finish) and job is not None and job.stage is Stage.PLAN:
        return tx.next_seq(_MOST_PARTS)
    return 0


def _one(tx: Transaction, record: Held | None) -> Held | None:
    return None if record is None else tx.hold([record])[0]


def _runs_on(job: Job, node: Node | None) -> bool:
    return job.lease is not None and node is not None and job.lease.node_id == node.id


def _known(job: Job | None) -> Sequence[Job]:
    return () if job is None else (job,)
