"""Whom a job that is submitted depends on: its words become ids, and each is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from common import problems
from common.job_files import PLACE, job_file
from common.model import Job, JobStatus
from common.schema import MAX_DEPENDENCIES
from master.lifecycle import chains
from master.service import handing
from master.service.farm import Farm
from master.service.views import Caller
from master.store.interface import Transaction

MAX_AT_ONCE = 100_000
"""Dependencies of all jobs of one batch together."""


def check_number(jobs: Iterable[Job]) -> None:
    """`invalid` if the jobs of a batch name more others than can be kept."""
    count = sum(len(job.depends_on) for job in jobs)
    if count > MAX_AT_ONCE:
        raise problems.invalid_field(
            "jobs",
            f"They depend on {count} jobs, counted for each; one batch may name {MAX_AT_ONCE} at most.",
        )


def attached(farm: Farm, caller: Caller, tx: Transaction, job: Job, before: Sequence[Job] = ()) -> Job:
    """`job`, with the ids of the jobs that it depends on. `before`: those before it in its batch.

    `unknown_job`, `forbidden`, `dependency_failed`, or `invalid` if it cannot depend on them.
    """
    if not job.depends_on:
        return job
    found = {name: _named(farm, caller, tx, name, before) for name in job.depends_on}
    # None of them may end before it is written down that this job waits for it.
    kept = {each.id: each for each in tx.hold([found[name] for name in found if not PLACE.fullmatch(name)])}
    found = {name: kept.get(each.id, each) for name, each in found.items()}
    if len({each.id for each in found.values()}) > MAX_DEPENDENCIES:  # the input may be one more
        raise problems.invalid_field("depends_on", f"Must have at most {MAX_DEPENDENCIES} items.")
    wanted = job_file(job.input)
    if wanted is not None:
        job = handing.renamed(job, wanted, found[wanted.job_id].id)
    on = {each.id: each for each in found.values()}
    job = chains.depending(replace(job, depends_on=tuple(on)), on.values())
    _check_there(farm, tx, job, on)
    return job


def _check_there(farm: Farm, tx: Transaction, job: Job, on: dict[str, Job]) -> None:
    """`unknown_file` if the input was made by a completed job, and is not in the file store any more."""
    wanted = job_file(job.input)
    if wanted is None or on[wanted.job_id].status is not JobStatus.COMPLETED:
        return
    try:
        sha256 = handing.handed_on(farm, tx, job)
    except ValueError as error:
        raise problems.UNKNOWN_FILE(f"The input cannot be had: {error}.") from error
    if sha256 is not None:
        if farm.shelf.store.index.keep(sha256) is None:
            raise problems.UNKNOWN_FILE("The input cannot be had: it was removed just now.")
        farm.shelf.store.use(sha256, tx.now)


def _named(farm: Farm, caller: Caller, tx: Transaction, name: str, before: Sequence[Job]) -> Job:
    """The job that a word of `depends_on` means."""
    place = PLACE.fullmatch(name)
    if place is None:
        if name in farm.leaving:
            raise problems.UNKNOWN_JOB(
                f"Job {name} is moving to the archive: nothing can depend on it any more."
            )
        return farm.require_job(tx, name, caller)
    if int(place[1]) >= len(before):
        raise problems.invalid_field(
            "depends_on",
            f"{name} must be a job before this one in the same batch, counted from 0."
            if before
            else f"{name} is a job of the same batch, before this one; there is none. Give the id of a job.",
        )
    return before[int(place[1])]


def newest(tx: Transaction, job_id: str) -> str:
    """The job that stands for a finished one since it was retried: the newest that has not failed as well.

    If all have failed, the newest of these: what depends on it is refused, and told so.
    """
    again = tx.retries(job_id)
    first = tx.job(job_id)
    tries = again if first is None else [first, *again]
    if not tries:
        return job_id
    hopeful = [each for each in tries if each.status not in (JobStatus.FAILED, JobStatus.CANCELED)]
    return (hopeful or tries)[-1].id


def anew(tx: Transaction, job: Job) -> Job:
    """`job`, which repeats another, with the newest retry of each that it depends on."""
    names = {each: newest(tx, each) for each in job.depends_on}
    wanted = job_file(job.input)
    if wanted is not None:
        job = handing.renamed(job, wanted, names[wanted.job_id])
    return replace(job, depends_on=tuple(dict.fromkeys(names.values())))
