"""Which jobs depend on which, and which are kept for that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from common.model import Job, JobStatus


class Chains:
    """Kept in step with the jobs, so that each question is cheap; who depends on nothing costs nothing."""

    def __init__(self, jobs: Mapping[str, Job]) -> None:
        """`jobs`: all there are; each is in it before it is put here, and until it was discarded."""
        self._jobs = jobs
        self._of: dict[str, set[str]] = {}  # by job: all that depend on it
        self._unmet: dict[str, int] = {}  # by waiting job: how many that it depends on are not completed
        self._keepers: dict[
            str, set[str]
        ] = {}  # by head of a family: unfinished jobs outside that depend on it
        self._kept: dict[str, tuple[str, ...]] = {}  # by unfinished job: the heads of families that it keeps
        self._retries: dict[str, list[str]] = {}

    def put(self, old: Job | None, new: Job) -> None:
        """`old` became `new`; None: it has come."""
        if old is not None and old.depends_on and not new.depends_on:
            self._forget(old)  # a part, which is finished
        if new.depends_on:
            self._put_dependent(old, new)
        if old is None and new.retry_of is not None:
            self._retries.setdefault(new.retry_of, []).append(new.id)
        if new.status is JobStatus.COMPLETED and (old is None or old.status is not JobStatus.COMPLETED):
            self._count(new.id, -1)

    def discard(self, old: Job) -> None:
        """The job has left."""
        self._forget(old)
        if old.retry_of is not None and old.id in (others := self._retries.get(old.retry_of, [])):
            others.remove(old.id)
            if not others:
                del self._retries[old.retry_of]
        if old.status is JobStatus.COMPLETED:
            self._count(old.id, +1)

    def dependents(self, job_id: str) -> Iterable[str]:
        """The ids of all jobs that depend on a job, in any order."""
        return self._of.get(job_id, ())

    def unmet(self, job_id: str) -> int:
        """How many of the jobs that a waiting job depends on are not completed."""
        return self._unmet.get(job_id, 0)

    def keeps(self, head_id: str) -> bool:
        """Whether an unfinished job outside of it depends on the family of this head, or on this one job."""
        return head_id in self._keepers

    def kept(self) -> Iterable[str]:
        """The ids of the heads of which that is so."""
        return self._keepers

    def retries(self, job_id: str) -> Iterable[str]:
        """The ids of the jobs that repeat a job, in the order in which they came."""
        return self._retries.get(job_id, ())

    def _put_dependent(self, old: Job | None, new: Job) -> None:
        if old is None:
            for dependency_id in new.depends_on:
                self._of.setdefault(dependency_id, set()).add(new.id)
        if new.awaits_jobs and (old is None or not old.awaits_jobs):
            self._unmet[new.id] = sum(not self._completed(each) for each in new.depends_on)
        elif not new.awaits_jobs:
            self._unmet.pop(new.id, None)
        if new.status.final:
            self._unmet.pop(new.id, None)
            self._let_go(new)
        elif old is None:
            own = self._head(new.id)
            kept = {self._head(each) for each in new.depends_on} - {own}
            self._kept[new.id] = tuple(kept)
            for head_id in kept:
                self._keepers.setdefault(head_id, set()).add(new.id)

    def _forget(self, job: Job) -> None:
        """It depends on nothing any more."""
        for dependency_id in job.depends_on:
            _take(self._of, dependency_id, job.id)
        self._unmet.pop(job.id, None)
        self._let_go(job)

    def _let_go(self, job: Job) -> None:
        for head_id in self._kept.pop(job.id, ()):
            _take(self._keepers, head_id, job.id)

    def _count(self, job_id: str, step: int) -> None:
        for dependent_id in self._of.get(job_id, ()):
            if dependent_id in self._unmet:
                self._unmet[dependent_id] += step

    def _completed(self, job_id: str) -> bool:
        job = self._jobs.get(job_id)
        return job is not None and job.status is JobStatus.COMPLETED

    def _head(self, job_id: str) -> str:
        """The job that the whole family belongs to; a job of no family is its own."""
        while (job := self._jobs.get(job_id)) is not None and job.parent_id is not None:
            job_id = job.parent_id
        return job_id


def _take(index: dict[str, set[str]], key: str, value: str) -> None:
    values = index.get(key, set())
    values.discard(value)
    if not values:
        index.pop(key, None)
