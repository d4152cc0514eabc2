"""The verbs of jobs, as people use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from common import problems
from common.model import Constraints, Job, JobStatus, Now
from common.model.changed import changed
from master import scheduler, submission
from master.lifecycle import commands, families, probes
from master.lifecycle.parts import Able
from master.service import chains, files
from master.service.again import again
from master.service.farm import Farm, new_id, throttle
from master.service.views import Caller, JobView
from master.store.interface import Transaction
from master.store.listings import ListingKey, listing_key

_MOST_TOGETHER = 1 + probes.MOST
"""Jobs that one becomes when it is submitted, at most: itself, and its first parts."""


@again
def submit(
    farm: Farm, caller: Caller, fields: Mapping[str, Any], key: submission.Key | None = None
) -> JobView:
    """Queue a job; `unknown_scenario` or `invalid` if it could never run.

    With a `key`, a repeat of the same request answers the job that the first one made.
    """
    now = farm.clock()
    most, owner = farm.config.max_attempts, caller.owner
    job = submission.job_from(fields, key, new_id(), most, now, owner, caller.request_id)
    return _queue(farm, caller, [job], key, now)[0]


@again
def submit_batch(
    farm: Farm, caller: Caller, batch: Sequence[Mapping[str, Any]], key: submission.Key | None = None
) -> list[JobView]:
    """Queue many jobs, all or none; a repeat with the same `key` answers the jobs that the first one made."""
    now = farm.clock()
    ids = [new_id() for _ in batch]
    most, owner = farm.config.max_attempts, caller.owner
    jobs = submission.jobs_from(batch, key, ids, most, now, owner, caller.request_id)
    return _queue(farm, caller, jobs, key, now)


def _queue(
    farm: Farm, caller: Caller, jobs: Sequence[Job], key: submission.Key | None, now: Now
) -> list[JobView]:
    """Give `jobs` their places in the queue; or, if they came before, answer what they are by now."""
    with farm.store.transaction(now, caller.actor) as tx:
        known = _made_by(tx, key)
        if not known:
            known = _place(farm, caller, tx, jobs)
        return [farm.job_view(tx, job) for job in known]


def _place(farm: Farm, caller: Caller, tx: Transaction, jobs: Sequence[Job]) -> list[Job]:
    """Queue `jobs` behind all others, in their order; `too_many` if too many wait already."""
    if caller.owner is not None:
        throttle(farm.submits, caller.owner, tx.now, len(jobs))
    # Parts are queued later, or with their parent: what was taken once is not refused in the middle.
    waiting, most = tx.count(JobStatus.PENDING), farm.config.max_pending_jobs
    if waiting + len(jobs) > most:
        raise problems.TOO_MANY(
            f"{waiting} jobs wait already, and this master keeps {most} at most (--max-pending-jobs)."
        )
    chains.check_number(jobs)
    ready: list[Job] = []
    for place, job in enumerate(jobs):
        try:
            files.check_input(farm, tx, job)
            ready.append(chains.attached(farm, caller, tx, job, ready))
        except problems.Problem as problem:
            if len(jobs) == 1:
                raise
            raise submission.of_batch(problem, place) from problem
    able = _shared(tx, len(jobs))
    first = tx.next_seq(len(ready) * _MOST_TOGETHER)
    placed: list[Job] = []
    submitted: list[Job] = []
    for job in ready:
        members = families.whole(changed(job, seq=first + len(submitted)), able, tx.now)
        placed.append(members[0])
        submitted += members
    farm.decide(tx, commands.Submit(tuple(submitted)))
    return placed


def _shared(tx: Transaction, jobs: int) -> Able:
    """How many nodes there are for each of as many `jobs`, which came at once and so share them."""

    @cache
    def able(wanted: Constraints) -> int:
        return scheduler.present(wanted, tx.nodes()) // jobs

    return able


def _made_by(tx: Transaction, key: submission.Key | None) -> list[Job]:
    """The jobs that an earlier request with `key` made; `key_reused` if that was another request."""
    known = [] if key is None else tx.by_key(key.name)
    if key is not None and known:
        key.check(known[0])
    return known


@again
def retry(farm: Farm, caller: Caller, job_id: str, key: submission.Key | None = None) -> JobView:
    """A new job that repeats a finished one; `job_not_finished` if it is not finished."""
    now = farm.clock()
    with farm.store.transaction(now, caller.actor) as tx:
        known = _made_by(tx, key)
        if not known:
            old = farm.require_job(tx, job_id, caller)
            _check_whole(old)
            most, request_id = farm.config.max_attempts, caller.request_id
            job = submission.repeat_of(old, key, new_id(), most, now, request_id)
            known = _place(farm, caller, tx, [chains.anew(tx, job)])
        return farm.job_view(tx, known[0])


def _check_whole(job: Job) -> None:
    """`part_of_job` if it is a part: alone it would be of no use to its parent, which is finished."""
    if job.parent_id is not None:
        raise problems.PART_OF_JOB(
            f"Job {job.id} is the part {job.part} of job {job.parent_id}. Retry that one: it makes all "
            f"its parts anew.",
            job_id=job.parent_id,
        )


@again
def change(farm: Farm, caller: Caller, job_id: str, command: commands.JobCommand) -> JobView:
    """Cancel, pause or resume a job; asking twice changes nothing more.

    The node of a running job hears with its next report or heartbeat that it was canceled.
    """
    with farm.store.transaction(farm.clock(), caller.actor) as tx:
        farm.decide(tx, command, job=farm.require_job(tx, job_id, caller))
        job = farm.require_job(tx, job_id)
        view = farm.job_view(tx, job)
    farm.room_was_made_for(job)
    return view


def get(farm: Farm, caller: Caller, job_id: str) -> JobView:
    """One job, or `unknown_job`."""
    with farm.store.transaction(farm.clock()) as tx:
        return farm.job_view(tx, farm.require_job(tx, job_id, caller))


def page(
    farm: Farm,
    caller: Caller,
    status: JobStatus | None,
    after: ListingKey | None,
    limit: int,
    parent_id: str | None = None,
    id_prefix: str | None = None,
    depends_on: str | None = None,
    *,
    whole: bool = False,
) -> tuple[list[JobView], int]:
    """Up to `limit` jobs behind `after` in the listing, and how many there are in all.

    A submitter sees its own jobs only. `parent_id`: the parts of that job only; `depends_on`: those that
    wait, or waited, for that job; `id_prefix`: jobs whose ids begin so, of which there are few; `whole`: no
    parts of others.
    """
    with farm.store.transaction(farm.clock()) as tx:
        if parent_id is None and id_prefix is None and depends_on is None:
            found = tx.page(status, after, limit, caller.owner, whole=whole)
            count = tx.count(status, caller.owner, whole=whole)
        else:
            if parent_id is not None:
                few = tx.children(parent_id)
            else:
                few = tx.beginning_with(id_prefix or "") if depends_on is None else tx.dependents(depends_on)
            matching = [
                job
                for job in sorted(few, key=listing_key)
                if caller.owner in (None, job.owner)
                and status in (None, job.status)
                and job.id.startswith(id_prefix or "")
                and (depends_on is None or depends_on in job.depends_on)
                and not (whole and job.parent_id is not None)
            ]
            found = [job for job in matching if after is None or listing_key(job) > after][:limit]
            count = len(matching)
        return [farm.job_view(tx, job) for job in found], count


def completed_parts(farm: Farm, caller: Caller, job_id: str) -> tuple[int, int]:
    """How many parts of a job are completed, of how many; a part that is run twice counts once."""
    with farm.store.transaction(farm.clock()) as tx:
        seen = [job for job in tx.children(job_id) if caller.owner in (None, job.owner)]
    parts = [job.status for job in seen if job.twin_of is None]
    return parts.count(JobStatus.COMPLETED), len(parts)


def results_page(
    farm: Farm, caller: Caller, after: ListingKey | None, limit: int, *, whole: bool = False
) -> tuple[list[Job], int]:
    """Up to `limit` completed or failed jobs behind `after`, newest first, and how many there are.

    `whole`: no parts of others.
    """
    with farm.store.transaction(farm.clock()) as tx:
        return tx.results_page(after, limit, caller.owner, whole=whole)


def log(farm: Farm, caller: Caller, job_id: str) -> list[str]:
    """The newest lines of a job's log."""
    get(farm, caller, job_id)
    return farm.logs.read(job_id)
