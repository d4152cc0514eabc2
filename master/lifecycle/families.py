"""The rules of families: a job that was divided, its parent, and the other parts.

A parent waits until all its parts are completed, and goes on then, with what they have brought.
A part that fails for good, or is canceled, fails its parent, and that cancels the parts that
are not finished. So no part is unfinished whose parent is final, and no parent waits for what
cannot come. Twins of parts (`master.lifecycle.twins`) end with the parent too, and are else nothing to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from common.model import Divisible, Failure, Findings, Job, JobStatus, Now, Outcome, Report, Stage
from common.outputs import below
from master.lifecycle import commands as c
from master.lifecycle import events as e
from master.lifecycle import twins
from master.lifecycle.apply import apply
from master.lifecycle.kinds import kind_of
from master.lifecycle.parts import Able, NotDividedError, Part, confidence_of, needs_of, part_id, queued
from master.lifecycle.view import View

_HANDING_ON = (Stage.PLAN, Stage.LOOK, Stage.CHUNK, Stage.SOUND, Stage.JOIN)
"""What jobs do that put files into the file store for their family alone."""


def hands_on(job: Job) -> bool:
    """Whether the job puts files into the file store for its family alone, or has done so: a plan may have,
    of a job that is encoded whole after all."""
    return job.stage in _HANDING_ON or any(each.outcome is Outcome.DIVIDED for each in job.attempts)


def children(parent: Job, parts: Sequence[Part], first_seq: int, now: Now) -> list[Job]:
    """The jobs that the `parts` of `parent` are; they take its place in the queue."""
    ids = {part.name: part_id(parent.id, part.name) for part in parts}
    waiting = {part.after: dependencies_of(parent, part, ids) for part in parts}
    return [
        Job(
            id=ids[part.name],
            seq=seq,
            scenario=parent.scenario,
            confidence=confidence_of(parent, part.stage),
            parameters=part.parameters,
            priority=parent.priority,
            constraints=needs_of(parent, part.stage, part.input),
            created_at=now.wall,
            max_attempts=parent.max_attempts,
            input=part.input or parent.input,
            output=_output(parent, part),
            owner=parent.owner,
            request_id=parent.request_id,
            parent_id=parent.id,
            part=part.name,
            stage=part.stage,
            place=parent.turn[0],
            window=part.window,
            depends_on=waiting[part.after],
            awaits_jobs=bool(waiting[part.after]),
        )
        for seq, part in enumerate(queued(parts), start=first_seq)
    ]


def dependencies_of(parent: Job, part: Part, ids: Mapping[str, str]) -> tuple[str, ...]:
    """The ids of the jobs that a part waits for: other parts, and those that its parent still waits for."""
    return (*(ids[name] for name in part.after), *(parent.depends_on if parent.awaits_jobs else ()))


def _output(parent: Job, part: Part) -> str | None:
    """Where a part's output goes. A probe has none."""
    if part.output is not None:
        return part.output
    return None if parent.output is None or part.stage is Stage.PROBE else below(parent.output, part.name)


def whole(job: Job, able: Able, now: Now) -> list[Job]:
    """What is submitted for `job`: with it the parts that are known before anybody looks at the input."""
    kind = kind_of(job)
    if kind is not None and kind.divide is not None:
        return [replace(job, stage=Stage.PLAN)]
    parts = [] if kind is None or kind.at_submit is None else kind.at_submit(job, able)
    if not parts:
        return [job]
    job = replace(job, parts=tuple(part.name for part in parts), awaits_parts=True)
    return [job, *children(job, parts, job.seq + 1, now)]


def divided(job: Job, report: Report, view: View, now: Now) -> list[e.Event]:
    """The plan attempt ended well: the parts follow from what it reported. ValueError if they cannot."""
    kind = kind_of(job)
    if kind is None or kind.divide is None:
        raise ValueError("this master does not know how to divide the job")
    try:
        parts = kind.divide(job, report)
    except NotDividedError as reason:
        return [_not_divided(job, report, str(reason), now)]
    if not parts:
        raise ValueError("there is nothing to divide the job into")
    event = e.JobDivided(
        job.id,
        now.wall,
        report.node_id,
        tuple(part.name for part in parts),
        report.metrics,
        report.analyzer_output,
        report.digest,
        _kept(report.findings),
    )
    return [event, *(e.JobSubmitted(child, now.wall) for child in children(job, parts, view.next_seq, now))]


def _not_divided(job: Job, report: Report, reason: str, now: Now) -> e.JobNotDivided:
    findings = Findings(warnings=report.findings.warnings, divisible=Divisible(reason))
    return e.JobNotDivided(job.id, now.wall, report.node_id, reason, report.digest, findings)


def _kept(findings: Findings) -> Findings:
    """What is kept of a plan: thousands of cuts were there to choose from, and that is done."""
    found = findings.divisible
    return findings if found is None else replace(findings, divisible=replace(found, cuts=()))


def joined(job: Job, report: Report, family: Iterable[Job], now: Now) -> Report:
    """The final report of a job that was divided, or might have been: what its own attempt reported, with
    what its parts have brought."""
    kind = kind_of(job)
    if kind is None:
        return report
    family = list(family)
    return twins.noted(kind.joined(job, parts_of(job, family), report, now.wall), job, family)


def parts_of(parent: Job, family: Iterable[Job]) -> list[Job]:
    """The jobs that are parts of `parent`, as it names them: chunks in the order of the film; no twins."""
    places = {name: place for place, name in enumerate(parent.parts)}
    found = (job for job in family if job.parent_id == parent.id and job.twin_of is None)
    return sorted(found, key=lambda job: (places.get(job.part or "", len(places)), job.seq))


def waiting_reason(parent: Job, parts: Sequence[Job]) -> str:
    """One sentence for people: what a parent waits for."""
    chunks = [part for part in parts if part.stage is Stage.CHUNK]
    if chunks:
        return f"waits for its parts: {_completed(chunks)} of {len(chunks)} chunks completed"
    return f"waits for its parts: {_completed(parts)} of {len(parent.parts)} completed"


def _completed(parts: Sequence[Job]) -> int:
    return sum(part.status is JobStatus.COMPLETED for part in parts)


def settle(view: View, _command: c.Settle, now: Now) -> Sequence[e.Event]:
    """What becomes of a family after facts were lost: nobody waits for what cannot come."""
    job = view.the_job()
    family = {each.id: each for each in view.family}
    if job.status.final:
        return []
    if job.parent_id is not None:
        parent = family.get(job.parent_id)
        if parent is None or parent.status.final:
            return [_canceled(job, "the job that it is a part of is gone or finished", now)]
        if settled := twins.settle(job, family, now):
            return settled
    if not job.awaits_parts:
        return []
    parts = {name: family.get(part_id(job.id, name)) for name in job.parts}
    for name, part in parts.items():
        if part is None:
            lost = Failure("unspecified", f"part {name} was lost with a damaged journal; retry the job")
            return [e.JobPartFailed(job.id, now.wall, part_id(job.id, name), lost)]
        if part.status in (JobStatus.FAILED, JobStatus.CANCELED):
            return [_part_failed(job, part, now)]
    done = all(part is not None and part.status is JobStatus.COMPLETED for part in parts.values())
    return [e.JobPartsCompleted(job.id, now.wall)] if done else []


@dataclass(slots=True)
class Family:
    """What the rules of families follow: the jobs as they will be once all has happened."""

    jobs: dict[str, Job]
    now: Now

    def note(self, event: e.Event) -> None:
        """Keep up."""
        if isinstance(event, e.JobSubmitted):
            self.jobs[event.job.id] = event.job
        elif isinstance(event, e.JobEvent) and event.job_id in self.jobs:
            job = apply(self.jobs[event.job_id], event)
            if isinstance(job, Job):
                self.jobs[job.id] = job

    def follow(self, event: e.Event) -> list[e.Event]:
        """What one event leads to, up and down."""
        if not isinstance(event, e.JobEvent) or event.job_id not in self.jobs:
            return []
        job = self.jobs[event.job_id]
        parent = self.jobs.get(job.parent_id or "")
        beside = twins.follow(job, event, self.jobs, self.now)
        return [*self._above(job, parent), *beside, *self._below(job, event)]

    def _above(self, job: Job, parent: Job | None) -> list[e.Event]:
        if parent is None or parent.status.final or job.twin_of is not None:
            return []
        if job.status is JobStatus.COMPLETED:
            parts = parts_of(parent, self.jobs.values())
            done = all(part.status is JobStatus.COMPLETED for part in parts)
            return [e.JobPartsCompleted(parent.id, self.now.wall)] if done and parent.awaits_parts else []
        if job.status.final:
            return [_part_failed(parent, job, self.now)]
        if job.status is JobStatus.PENDING and parent.status is JobStatus.PAUSED:
            return [e.JobPaused(job.id, self.now.wall)]  # it was given back meanwhile
        return []

    def _below(self, job: Job, event: e.Event) -> list[e.Event]:
        if not job.parts:
            return []
        parts = [part for part in self.jobs.values() if part.parent_id == job.id and not part.status.final]
        if job.status.final:
            why = f"job {job.id}, which it is a part of, is {job.status}"
            return [_canceled(part, why, self.now) for part in parts]
        at = self.now.wall
        if isinstance(event, e.JobPaused):
            return [e.JobPaused(part.id, at) for part in parts if part.status is JobStatus.PENDING]
        if isinstance(event, e.JobResumed):
            return [e.JobResumed(part.id, at) for part in parts if part.status is JobStatus.PAUSED]
        return []


def _part_failed(parent: Job, part: Job, now: Now) -> e.JobPartFailed:
    error = part.error or Failure("unspecified", f"it is {part.status}")
    failure = Failure(error.code, f"part {part.part}: {error.message}")
    return e.JobPartFailed(parent.id, now.wall, part.id, failure)


def _canceled(job: Job, why: str, now: Now) -> e.JobCanceled:
    node_id = job.lease.node_id if job.lease else None
    return e.JobCanceled(job.id, now.wall, node_id, Failure("canceled", why))
