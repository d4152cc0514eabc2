"""The rules of twins: a part that takes long is run once more elsewhere, and the first to end well counts.

The part stays the one that its parent and other parts wait for, whoever completes it: a twin is nothing to
them. If the twin is completed first, the part is completed by that, and its own attempt is canceled; if
the part is, the twin is canceled: neither is a failure. While a twin runs, its part does not fail for good;
and a twin has one attempt, of which only its part hears how it ends. A part never has a second one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from common.model import Failure, Job, JobStatus, NodeStatus, Now, Report, Stage
from master.lifecycle import commands as c
from master.lifecycle import events as e
from master.lifecycle.parts import MAX_WARNINGS, part_id
from master.lifecycle.view import View

STAGES = (Stage.LOOK, Stage.CHUNK, Stage.SOUND)
"""What may be run twice: all that it makes is for its family, in the file store."""


def twin_id(job_id: str) -> str:
    """The id of a part's twin: it follows from the part's."""
    return part_id(job_id, "twin")


def is_at_work(job: Job, family: Iterable[Job]) -> bool:
    """Whether a twin of `job` is not finished."""
    return any(each.twin_of == job.id and not each.status.final for each in family)


def may_have_one(job: Job, family: Iterable[Job]) -> bool:
    """Whether `job` can be run once more: a part at work, that had no twin, of a job that waits for it."""
    if job.status is not JobStatus.RUNNING or job.stage not in STAGES or job.twin_of is not None:
        return False
    known = {each.id: each for each in family}
    parent = known.get(job.parent_id or "")
    return parent is not None and parent.status is JobStatus.PENDING and twin_id(job.id) not in known


def claim(view: View, command: c.ClaimTwin, now: Now) -> Sequence[e.Event]:
    """Make a twin of the job, and give it to the node; nothing if that cannot be."""
    job, node = view.the_job(), view.the_node()
    if view.farm.paused or not may_have_one(job, view.family):
        return []
    if job.lease is None or job.lease.node_id == node.id:
        return []
    if node.status(node.slots_taken(view.held)) is not NodeStatus.AVAILABLE:
        return []
    twin = replace(
        job,
        id=twin_id(job.id),
        seq=view.next_seq,
        created_at=now.wall,
        status=JobStatus.PENDING,
        attempts=(),
        max_attempts=1,
        retry_delay=0.0,
        error=None,
        twin_of=job.id,
    )
    number = view.farm.attempts_above + 1
    return [
        e.JobSubmitted(twin, now.wall),
        e.JobClaimed(twin.id, now.wall, node.id, command.lease_id, number),
    ]


def follow(job: Job, event: e.Event, jobs: Mapping[str, Job], now: Now) -> list[e.Event]:
    """What an event of `job` leads to between it and its twin, or the part that it is the twin of."""
    if job.twin_of is None:
        twin = jobs.get(twin_id(job.id)) if job.stage in STAGES else None
        if twin is None or twin.status.final or job.status is not JobStatus.COMPLETED:
            return []
        return [_canceled(twin, f"job {job.id}, of which it is the twin, was completed first", now)]
    first = jobs.get(job.twin_of)
    if isinstance(event, e.JobRequeued):
        if first is not None and first.awaits_twin:
            return []  # nothing else runs: another node can have it
        why = "it is the twin of a part that runs elsewhere, and its node gave it back: one is enough"
        return [_canceled(job, why, now)]
    if first is None or first.status.final or not job.status.final:
        return []
    return _after(first, job, now)


def settle(job: Job, family: Mapping[str, Job], now: Now) -> list[e.Event]:
    """What becomes of a part, or a twin, after facts were lost: neither waits for what cannot come."""
    if job.twin_of is not None:
        first = family.get(job.twin_of)
        runs = job.status is JobStatus.RUNNING
        if first is not None and not first.status.final and (runs or first.awaits_twin):
            return []
        return [_canceled(job, "the part of which it is the twin needs it no more", now)]
    twin = family.get(twin_id(job.id))
    if twin is None:
        return [_failed(job, twin_id(job.id), now)] if job.awaits_twin else []
    return _after(job, twin, now) if twin.status.final else []


def noted(report: Report, job: Job, family: Sequence[Job]) -> Report:
    """The final report of `job`, with a warning if there were twins: nobody says what was used in vain."""
    count = sum(each.twin_of is not None and each.parent_id == job.id for each in family)
    if not count:
        return report
    parts = "1 part was" if count == 1 else f"{count} parts were"
    note = f"{parts} run twice; what the attempts used that were given up for it is in no sum"
    warnings = (*report.findings.warnings[: MAX_WARNINGS - 1], note)
    return replace(report, findings=replace(report.findings, warnings=warnings))


def _after(first: Job, twin: Job, now: Now) -> list[e.Event]:
    """What follows for a part that is not finished from how its twin ended."""
    if twin.status is not JobStatus.COMPLETED:
        return [_failed(first, twin.id, now)] if first.awaits_twin else []
    return [
        e.JobTwinCompleted(
            first.id,
            now.wall,
            first.lease.node_id if first.lease else None,
            twin.id,
            Failure("canceled", f"its twin, job {twin.id}, was completed first"),
            twin.metrics or {},
            twin.analyzer_output or {},
            twin.findings,
        )
    ]


def _failed(job: Job, twin: str, now: Now) -> e.JobTwinFailed:
    error = job.error or Failure("unspecified", "its last attempt failed, and so did its twin")
    return e.JobTwinFailed(job.id, now.wall, twin, error)


def _canceled(job: Job, why: str, now: Now) -> e.JobCanceled:
    node_id = job.lease.node_id if job.lease else None
    return e.JobCanceled(job.id, now.wall, node_id, Failure("canceled", why))
