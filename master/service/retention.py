"""Old finished jobs move from the memory to the archive; and how they are read there.

A job is written to the archive first, durably, and leaves the memory then. So a crash in between
leaves it in both, never in none; what it left in both is found before anything more is
archived of the same day (`_settle`), so that nothing is in the archive twice. A family of jobs
goes together, on the day on which the parent was finished.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, islice

from common.durations import format_duration
from common.model import Job, JobStatus, Now
from common.problems import Problem
from master.lifecycle import events
from master.service.farm import Farm
from master.service.views import Caller
from master.store.archive import Entry, Place
from master.store.blocks import DamagedError

log = logging.getLogger(__name__)

ROUND = 5_000
"""Jobs that are archived together at most; a day's file is written anew for each round."""
MAX_PAUSE = 600.0
"""Seconds between two rounds, unless a whole one is due."""
_AT_ONCE = 100
"""Jobs that leave in one transaction: it holds the store's lock for some milliseconds."""


def pause(retention: float) -> float:
    """Seconds between two rounds: jobs stay at most a tenth longer than they should."""
    return min(MAX_PAUSE, retention / 10)


def cutoff(now: Now, retention: float) -> datetime:
    """Jobs that were finished before this are old."""
    try:
        return now.wall - timedelta(seconds=retention)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)  # longer than there are years: nothing is old


class Retention:
    """The chore that archives; it remembers when it may again, and which days are settled."""

    def __init__(self, farm: Farm, entry: Callable[[Job], Entry]) -> None:
        """`entry` renders a job for the archive."""
        self._farm = farm
        self._entry = entry
        self._rest_until = 0.0
        self._failed = False
        self._settled: set[date] = set()

    def leave_to_others(self) -> None:
        """Another master does it; what it will have left when it is this one's turn is not known."""
        self._settled.clear()

    def step(self, now: Now) -> None:
        """Do a round if it is time for one. What prevents it is logged, and it is tried again later."""
        retention = self._farm.config.retention
        before = cutoff(now, retention)
        with self._farm.store.transaction(now) as tx:
            _, count = tx.finished_before(before, 0)
        if now.mono < self._rest_until and (self._failed or count < ROUND):
            return
        if count == 0:
            return
        self._rest_until = now.mono + pause(retention)
        try:
            self.round(before, now)
            self._failed = False
        except (OSError, DamagedError, Problem) as error:
            self._failed = True
            self._settled.clear()  # it may have come between archive and journal
            log.error(  # noqa: TRY400 - the sentence says it all
                "%d finished jobs stay in memory, as they cannot be archived: %s; it is tried again in %s",
                count,
                error,
                format_duration(pause(retention)),
            )

    def round(self, before: datetime, now: Now) -> None:
        """Archive the oldest jobs of those that were finished before `before`.

        OSError or `DamagedError` if the archive refuses, `unavailable` if the journal does.
        """
        with self._farm.store.transaction(now) as tx:
            old, _ = tx.finished_before(before, ROUND)
        for day, jobs in groupby(old, _day):
            with self._farm.store.exclusive("archive"):
                if day not in self._settled and self._settle(day, now):
                    self._settled.add(day)
                if day in self._settled:
                    self._archive(day, jobs, now)

    def _archive(self, day: date, jobs: Iterable[Job], now: Now) -> None:
        with self._farm.store.transaction(now) as tx:
            going = [job for job in jobs if tx.job(job.id) is not None and not tx.is_kept(job)]
            families = [tx.family(job) or (job,) for job in going]
            leaving = [job for family in families for job in family]
            # From now on nothing may come to depend on them.
            self._farm.leaving = frozenset(job.id for job in leaving)
        try:
            if leaving:
                self._farm.archive.add(day, map(self._entry, leaving))
                if not self._forget(families, now):
                    self._settled.discard(day)
                log.info("archived %d jobs of %s", len(leaving), day)
        finally:
            self._farm.leaving = frozenset()

    def _settle(self, day: date, now: Now) -> bool:
        """Let go of the jobs in memory that are in the archive already: a crash left them in both.

        Whether all of them went: a job that depends on one of them may have been submitted since.
        """
        whole = True
        self._farm.archive.tidy()
        for entries in self._farm.archive.entries(day):
            with self._farm.store.transaction(now) as tx:
                archived = {entry["job"]["id"]: entry for entry in entries}
                both = [job for job in map(tx.job, archived) if job is not None]
                # A job that was finished anew, after an older copy was restored, is archived again.
                same = [j for j in both if self._finish_of(self._entry(j)) == self._finish_of(archived[j.id])]
                needed = {each.id for job in same if tx.is_kept(job) for each in tx.family(job) or (job,)}
            went = self._forget([[job for job in same if job.id not in needed]], now)
            whole = whole and went and not needed
        return whole

    @staticmethod
    def _finish_of(entry: Entry) -> object:
        return entry["job"]["finished_at"]

    def _forget(self, archived: Iterable[Sequence[Job]], now: Now) -> bool:
        """Remove jobs that are in the archive, and their logs; those that belong together at once.

        Whether all of them went: at another master, a job may have come to depend on one meanwhile.
        """
        rest, whole = iter(archived), True
        while families := list(islice(rest, _AT_ONCE)):
            some = [job for family in families for job in family]
            for job in some:
                # First, so that a crash leaves no log behind that no job speaks of.
                self._farm.logs.remove(job.id)
            with self._farm.store.transaction(now) as tx:
                there = tx.hold([job for job in some if tx.job(job.id) is not None])
                kept = {each.id for job in there if tx.is_kept(job) for each in tx.family(job) or (job,)}
                tx.record([events.JobArchived(job.id, now.wall) for job in there if job.id not in kept])
            whole = whole and not kept
        return whole


def _day(job: Job) -> date:
    assert job.finished_at is not None  # noqa: S101 - only finished jobs come here
    return job.finished_at.astimezone(UTC).date()


def page(
    farm: Farm, caller: Caller, after: Place | None, limit: int, job_id: str | None, *, whole: bool = False
) -> tuple[Sequence[Entry], Place | None]:
    """Up to `limit` archived jobs behind `after`, and the place to go on from; None where nothing is left.

    All that were completed or failed, newest first, `whole`: without parts of others; or the one with
    `job_id`, however it ended. A submitter finds its own only. A page may be empty before the end.
    Errors: see `Archive.page`.
    """
    if job_id is not None:
        return farm.archive.page(
            after, 1, lambda entry: entry["job"]["id"] == job_id and _visible(entry, caller), [job_id]
        )
    return farm.archive.page(
        after, limit, lambda entry: _is_listed(entry, whole=whole) and _visible(entry, caller)
    )


def named(farm: Farm, caller: Caller, job_ids: Sequence[str]) -> Sequence[Entry]:
    """Those of the newest part of the archive that have one of these ids, and that the caller may see."""
    return farm.archive.page(
        None,
        len(job_ids),
        lambda entry: entry["job"]["id"] in job_ids and _visible(entry, caller),
        job_ids,
    )[0]


def _is_listed(entry: Entry, *, whole: bool) -> bool:
    job = entry["job"]
    return job["status"] in _WITH_RESULT and not (whole and job.get("parent_id") is not None)


def _visible(entry: Entry, caller: Caller) -> bool:
    """A submitter sees its own jobs only."""
    return caller.owner in (None, entry["job"].get("owner"))


_WITH_RESULT = (JobStatus.COMPLETED, JobStatus.FAILED)
