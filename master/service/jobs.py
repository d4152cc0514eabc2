"""The verbs of jobs, as people use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.model import Constraints, Job, JobStatus
from master import submission
from master.lifecycle import commands
from master.service.farm import Farm, JobView, new_id
from master.store.state import ListingKey


def submit(farm: Farm, fields: Mapping[str, Any], key: submission.Key | None = None) -> JobView:
    """Queue a job; `unknown_scenario` or `invalid` if it could never run.

    With a `key`, a repeat of the same request answers the job that the first one made.
    """
    now = farm.clock()
    with farm.store.transaction(now) as tx:
        known = tx.by_key(key.text) if key else []
        if key is not None and known:
            key.check(known[0])
            return farm.job_view(tx, known[0])
        job = submission.job_from(fields, key, new_id(), tx.next_seq(), farm.config.max_attempts, now)
        farm.decide(tx, commands.Submit(job))
        return farm.job_view(tx, job)


def retry(farm: Farm, job_id: str) -> JobView:
    """A new job that repeats a finished one; `job_not_finished` if it is not finished."""
    now = farm.clock()
    with farm.store.transaction(now) as tx:
        old = farm.require_job(tx, job_id)
        job = submission.repeat_of(old, new_id(), tx.next_seq(), farm.config.max_attempts, now)
        farm.decide(tx, commands.Submit(job))
        return farm.job_view(tx, job)


def cancel(farm: Farm, job_id: str) -> JobView:
    """End a job, running or not; its node hears of it with its next report."""
    with farm.store.transaction(farm.clock()) as tx:
        farm.decide(tx, commands.Cancel(), job=farm.require_job(tx, job_id))
        return farm.job_view(tx, farm.require_job(tx, job_id))


def get(farm: Farm, job_id: str) -> JobView:
    """One job, or `unknown_job`."""
    with farm.store.transaction(farm.clock()) as tx:
        return farm.job_view(tx, farm.require_job(tx, job_id))


def page(
    farm: Farm, status: JobStatus | None, after: ListingKey | None, limit: int
) -> tuple[list[JobView], int]:
    """Up to `limit` jobs behind `after` in the listing, and how many there are in all."""
    with farm.store.transaction(farm.clock()) as tx:
        reasons: dict[Constraints, str] = {}
        views = [farm.job_view(tx, job, reasons) for job in tx.page(status, after, limit)]
        return views, tx.count(status)


def results_page(farm: Farm, after: ListingKey | None, limit: int) -> tuple[list[Job], int]:
    """Up to `limit` completed or failed jobs behind `after`, newest first, and how many there are."""
    with farm.store.transaction(farm.clock()) as tx:
        return tx.results_page(after, limit)


def log(farm: Farm, job_id: str) -> list[str]:
    """The newest lines of a job's log."""
    get(farm, job_id)
    return farm.logs.read(job_id)
