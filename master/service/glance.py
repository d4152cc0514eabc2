"""The farm at a glance: what one page can show. Its cost does not grow with the number of jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from common.model import Job, JobStatus, Now, Priority
from master import scheduler
from master.service.farm import Farm
from master.service.views import Caller, JobView, NodeView
from master.store.interface import Transaction

MOST_RUNNING = 50
"""Running jobs that are shown."""
MOST_ENDED = 8
"""Finished jobs, and failures, that are shown."""
MOST_KINDS = 100
"""Kinds of waiting jobs that are looked at."""


@dataclass(frozen=True, slots=True)
class Depth:
    """The jobs of one priority that wait for a node."""

    jobs: int
    oldest: datetime | None
    """When the first of them was submitted."""

    def age(self, now: Now) -> float | None:
        """Seconds since then; None if none waits."""
        return None if self.oldest is None else max(0.0, (now.wall - self.oldest).total_seconds())


@dataclass(frozen=True, slots=True)
class Stuck:
    """Waiting jobs of one kind that no node can take as things are."""

    first: JobView
    jobs: int


@dataclass(frozen=True, slots=True)
class Glance:
    """What the caller may see of the farm."""

    counts: Mapping[JobStatus, int]
    """Whole jobs; of what runs, the parts too."""
    paused: bool
    running: Sequence[JobView]
    finished: Sequence[Job]
    """The last ones first."""
    failed: Sequence[Job]
    depths: Mapping[Priority, Depth]
    """Empty for who sees its own jobs only, as the rest is."""
    nodes: Sequence[NodeView]
    stuck: Sequence[Stuck]


def get(farm: Farm, caller: Caller) -> Glance:
    """The farm as it is now; a submitter sees its own jobs only, and no nodes."""
    owner = caller.owner
    with farm.store.transaction(farm.clock()) as tx:
        everything = owner is None
        return Glance(
            counts=_counts(tx, owner),
            paused=tx.farm().paused,
            running=[farm.job_view(tx, job) for job in tx.page(JobStatus.RUNNING, None, MOST_RUNNING, owner)],
            finished=tx.finished_last(MOST_ENDED)
            if everything
            else tx.page(JobStatus.COMPLETED, None, MOST_ENDED, owner, whole=True),
            failed=tx.page(JobStatus.FAILED, None, MOST_ENDED, owner, whole=True),
            depths={each: depth(tx, each) for each in Priority} if everything else {},
            nodes=[farm.node_view(tx, node.id) for node in tx.nodes()] if everything else (),
            stuck=stuck(farm, tx) if everything else (),
        )


def counts(farm: Farm, caller: Caller, *, parts: bool) -> Mapping[JobStatus, int]:
    """How many jobs that the caller may see have each status. `parts`: see `leaves_out_parts`."""
    with farm.store.transaction(farm.clock()) as tx:
        return _counts(tx, caller.owner, parts=parts)


def count(farm: Farm, caller: Caller, *, parts: bool) -> int:
    """How many there are in all."""
    with farm.store.transaction(farm.clock()) as tx:
        return tx.count(None, caller.owner, whole=not parts)


def leaves_out_parts(status: JobStatus | None, *, parts: bool) -> bool:
    """Whether people see whole jobs only where those with a status (None: all) are listed.

    One film may have hundreds of parts. But of what runs, the parts are shown: their job waits for them, and
    there are no more of them than slots. `parts`: somebody asked for all.
    """
    return not parts and status is not JobStatus.RUNNING


def _counts(tx: Transaction, owner: str | None, *, parts: bool = False) -> dict[JobStatus, int]:
    return {
        status: tx.count(status, owner, whole=leaves_out_parts(status, parts=parts)) for status in JobStatus
    }


def depth(tx: Transaction, priority: Priority) -> Depth:
    """How many jobs of a priority wait, and since when."""
    count, first = tx.waiting(priority)
    return Depth(count, None if first is None else first.created_at)


def stuck(farm: Farm, tx: Transaction) -> list[Stuck]:
    """The kinds that no node can take; several kinds may have one reason, and each is told."""
    return [
        Stuck(farm.job_view(tx, job), count)
        for job, count in tx.kinds(MOST_KINDS)
        if not scheduler.present(job.constraints, tx.nodes())
    ]
