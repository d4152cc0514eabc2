"""The newest ended attempts on each node: a bounded list for each, kept in step with the jobs.

It follows from the jobs in memory alone, so each start makes it anew from what it loads anyway, and a
node's page reads neither the disk nor all jobs. What was archived since the start stays in it.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from common.model import Attempt, Job

KEPT = 50
"""Attempts of a node."""


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt that is over."""

    ended_at: datetime
    job_id: str
    number: int
    scenario: str
    started_at: datetime
    outcome: str
    code: str | None
    """Of the failure; None if there was none."""
    message: str | None


class Recent:
    """Of all nodes."""

    def __init__(self) -> None:
        self._ended: defaultdict[str, list[Ended]] = defaultdict(list)

    def add(self, old: Job | None, new: Job) -> None:
        """Note the attempts of `new` that ended since it was `old`."""
        for node_id, ended in just_ended(old, new):
            self._keep(node_id, ended)

    def of(self, node_id: str) -> list[Ended]:
        """The attempts on a node, newest first."""
        return self._ended.get(node_id, [])[::-1]

    def forget(self, node_id: str) -> None:
        """The node was removed."""
        self._ended.pop(node_id, None)

    def _keep(self, node_id: str, ended: Ended) -> None:
        kept = self._ended[node_id]
        if kept and kept[-1].ended_at >= ended.ended_at:
            insort(kept, ended, key=lambda each: (each.ended_at, each.job_id, each.number))
        else:
            kept.append(ended)
        del kept[:-KEPT]


def just_ended(old: Job | None, new: Job) -> Iterator[tuple[str, Ended]]:
    """The attempts of `new` that ended since it was `old`, each with its node."""
    before = () if old is None else old.attempts
    if new.attempts is before:
        return
    known = {attempt.number for attempt in before if attempt.outcome is not None}
    for attempt in new.attempts:
        if attempt.number not in known and attempt.ended_at is not None and attempt.outcome is not None:
            yield attempt.node_id, _ended(new, attempt, attempt.ended_at)


def _ended(job: Job, attempt: Attempt, at: datetime) -> Ended:
    error = attempt.error
    return Ended(
        ended_at=at,
        job_id=job.id,
        number=attempt.number,
        scenario=job.scenario,
        started_at=attempt.started_at,
        outcome=str(attempt.outcome),
        code=None if error is None else error.code,
        message=None if error is None else error.message,
    )
