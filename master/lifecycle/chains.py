"""The rules of chains: jobs that depend on others.

A job with `depends_on` is pending, but no node gets it, until all of these are completed. If one of them
fails for good or is canceled, or does not make what the job reads, the job fails too, and so do those that
depend on it. A job can only depend on jobs that were submitted before it: so there are no circles.

Parts of jobs may depend on others as well: on their siblings, or on what their parent depends on. What
becomes of a part when such a job fails is left to its family, since that job's failure fails the parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from common import problems
from common.inputs import stored_file
from common.job_files import JobFile, job_file
from common.model import Failure, Job, JobStatus, Now
from master.lifecycle import commands as c
from master.lifecycle import events as e
from master.lifecycle.view import Links, View

CODE = "dependency_failed"
NAMED = 3
"""Jobs that a sentence names; of the others it gives the number."""


def depending(job: Job, on: Iterable[Job]) -> Job:
    """`job` as it is submitted, when the jobs that it depends on are `on`.

    `dependency_failed` if one of them has failed or was canceled, `invalid` if one is completed and did
    not make what the job reads.
    """
    waits = False
    wanted = job_file(job.input)
    for each in on:
        if each.status in (JobStatus.FAILED, JobStatus.CANCELED):
            raise problems.DEPENDENCY_FAILED(
                f"Job {each.id} is {each.status}: what depends on it can never begin. Retry that one first "
                f"(ffrtmp jobs retry {each.id}), and name the new job.",
                job_id=each.id,
                job_status=each.status,
            )
        if each.status is not JobStatus.COMPLETED:
            waits = True
        elif wanted is not None and wanted.job_id == each.id:
            try:
                made_by(each, wanted)
            except ValueError as error:
                raise problems.invalid_field("input", f"{error}.") from error
    return replace(job, awaits_jobs=waits)


def made_by(dependency: Job, wanted: JobFile) -> str:
    """The SHA-256 of what the completed job made under the wanted path. ValueError, a sentence, if none."""
    made = next((each for each in dependency.findings.artifacts if each.path == wanted.path), None)
    if made is None:
        names = ", ".join(repr(each.path) for each in islice(dependency.findings.artifacts, NAMED))
        there = f"it made {names}" if names else "it made nothing that is kept"
        raise ValueError(f"job {dependency.id} made no {wanted.path!r}: {there}")
    sha256 = None if made.location is None else stored_file(made.location)
    if sha256 is None:
        where = "on its node alone" if made.location is None else f"at {made.location}"
        raise ValueError(
            f"{wanted.path!r} of job {dependency.id} is {where}, and not in the file store: submit that job "
            "with the output files"
        )
    return sha256


def waiting_reason(job: Job, unfinished: Sequence[Job], count: int) -> str:
    """One sentence for people: which jobs `job` waits for. `unfinished`: the first of `count`."""
    names = ", ".join(each.id for each in unfinished[:NAMED])
    more = count - min(len(unfinished), NAMED)
    others = f" and {more} more" if more > 0 else ""
    jobs = "job" if len(job.depends_on) == 1 else "jobs"
    return f"waits for {count} of {len(job.depends_on)} {jobs}: {names}{others}"


def unreadable(view: View, command: c.Disappoint, now: Now) -> Sequence[e.Event]:
    """A node was to get the job, but what another one made for it is not there any more."""
    job = view.the_job()
    if not job.waits_for_a_node:
        return []
    return [e.JobDependencyFailed(job.id, now.wall, command.dependency_id, Failure(CODE, command.reason))]


def settle(view: View, _command: c.Settle, now: Now) -> Sequence[e.Event]:
    """What becomes of a job that waits for others, after facts were lost."""
    job = view.the_job()
    if job.status.final or not job.awaits_jobs:
        return []
    for dependency_id in job.depends_on:
        dependency = view.links.job(dependency_id)
        if dependency is None:
            why = (
                f"job {dependency_id}, on which it depends, was lost with a damaged journal; submit both anew"
            )
            return [e.JobDependencyFailed(job.id, now.wall, dependency_id, Failure(CODE, why))]
        found = _after(dependency, job, now)
        if isinstance(found, e.JobDependencyFailed):
            return [found]
        if dependency.status is not JobStatus.COMPLETED:
            return []
    return [e.JobDependenciesCompleted(job.id, now.wall)]


class Chains:
    """What the ends of jobs lead to for those that depend on them."""

    def __init__(self, links: Links, now: Now) -> None:
        self._links = links
        self._now = now
        self._unmet: dict[str, int] = {}

    def follow(self, ended: Job, jobs: Mapping[str, Job]) -> list[e.Event]:
        """What follows from it that `ended` is final now. `jobs`: as they are by now, where that is known."""
        following: list[e.Event] = []
        for before in self._links.dependents(ended.id):
            job = jobs.get(before.id, before)
            if job.status.final or not job.awaits_jobs:
                continue
            failed = _after(ended, job, self._now)
            if failed is not None:
                following.append(failed)
            elif ended.status is JobStatus.COMPLETED:
                left = self._unmet[job.id] = self._unmet.get(job.id, self._links.unmet(job.id)) - 1
                if left == 0:
                    following.append(e.JobDependenciesCompleted(job.id, self._now.wall))
        return following


def _after(dependency: Job, job: Job, now: Now) -> e.JobDependencyFailed | None:
    """The end of `job`, if `dependency` ended so that it can never begin."""
    if not dependency.status.final:
        return None
    if dependency.status is JobStatus.COMPLETED:
        wanted = job_file(job.input)
        if wanted is None or wanted.job_id != dependency.id:
            return None
        try:
            made_by(dependency, wanted)
        except ValueError as error:
            failure = Failure(CODE, str(error))
        else:
            return None
    else:
        failure = _reason(dependency)
    # A part is left to its family: a sibling's failure, or its parent's, ends it.
    return (
        None if job.parent_id is not None else e.JobDependencyFailed(job.id, now.wall, dependency.id, failure)
    )


def _reason(dependency: Job) -> Failure:
    """Why those fail that depend on it: along a chain all give the reason of the first one."""
    error = dependency.error or Failure("unspecified", f"it is {dependency.status}")
    if error.code == CODE:
        return error
    how = "was canceled" if dependency.status is JobStatus.CANCELED else "failed"
    return Failure(CODE, f"job {dependency.id}, on which it depends, {how}: {error.message} ({error.code})")
