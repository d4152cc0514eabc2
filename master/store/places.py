"""Which listings a job is in. Pure."""

from __future__ import annotations

from common.model import Job, JobStatus

ListingName = tuple[str | None, JobStatus | None, bool]
"""Whose jobs are in a listing (None: everybody's), their status (None: any), and whether they are parts."""


def places(job: Job | None) -> set[tuple[ListingName, int, bool]]:
    """The listings that `job` is in, and its place in each; only submitters' jobs have some of their own."""
    if job is None:
        return set()
    owners = (None,) if job.owner is None else (None, job.owner)
    return {
        ((owner, status, is_part(job)), job.seq, job.status.final)
        for owner in owners
        for status in (None, job.status)
    }


def results(job: Job | None) -> set[tuple[str | None, bool, int]]:
    """The listings of results that `job` is in, and its place in each.

    What a twin has made for a part is the twin's result: it counts once.
    """
    if job is None or job.status not in (JobStatus.COMPLETED, JobStatus.FAILED) or job.is_by_twin:
        return set()
    return {(owner, is_part(job), job.seq) for owner in (None, job.owner)}


def is_bound(job: Job) -> bool:
    """Whether what becomes of `job` hangs on others, or others hang on it."""
    return not job.status.final and (job.awaits_parts or job.awaits_jobs or job.parent_id is not None)


def listed(owner: str | None, status: JobStatus | None, *, whole: bool) -> list[ListingName]:
    """The listings that have all of these jobs; `whole`: without parts."""
    return [(owner, status, part) for part in kinds(whole=whole)]


def kinds(*, whole: bool) -> tuple[bool, ...]:
    """Whether parts are wanted, and what is none."""
    return (False,) if whole else (False, True)


def is_part(job: Job) -> bool:
    """Whether `job` is a part of another."""
    return job.parent_id is not None
