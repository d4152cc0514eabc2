"""Which listings a job is in. Pure."""

from __future__ import annotations

from common.model import Job, JobStatus

ListingName = tuple[str | None, JobStatus | None, bool]
"""Whose jobs are in a listing (None: everybody's), their status (None: any), and whether they are parts."""


def places(job: Job | None) -> list[tuple[ListingName, int, bool]]:
    """The listings that `job` is in, and its place in each; only submitters' jobs have some of their own."""
    if job is None:
        return []
    status, part, seq, owner = job.status, is_part(job), job.seq, job.owner
    final = status.final
    names: list[ListingName] = [(None, None, part), (None, status, part)]
    if owner is not None:
        names += [(owner, None, part), (owner, status, part)]
    return [(name, seq, final) for name in names]


def results(job: Job | None) -> list[tuple[str | None, bool, int]]:
    """The listings of results that `job` is in, and its place in each.

    What a twin has made for a part is the twin's result: it counts once.
    """
    if job is None or job.status not in (JobStatus.COMPLETED, JobStatus.FAILED) or job.is_by_twin:
        return []
    part, seq = is_part(job), job.seq
    return [(None, part, seq)] if job.owner is None else [(None, part, seq), (job.owner, part, seq)]


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
