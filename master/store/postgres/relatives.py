"""Which jobs belong together: families, and chains of jobs that depend on each other."""

from __future__ import annotations

from collections.abc import Sequence

from common.model import Job, JobStatus
from master.store.postgres.listing import Listing


class Relatives(Listing):
    """The questions of the rules that look at several jobs."""

    def children(self, job_id: str) -> list[Job]:
        """The parts of a job, in the order of their submission."""
        return self._read_jobs("where parent_id = %s order by seq", (job_id,))

    def head(self, job: Job) -> Job:
        """The job that the whole family of `job` belongs to; a job of no family is its own."""
        if job.parent_id is None:
            return job
        self.job(job.id)
        row = self._jobs.get(job.id)
        return (None if row is None else self.job(row.head_id)) or job

    def family(self, *jobs: Job) -> tuple[Job, ...]:
        """All jobs of the families that `jobs` belong to; empty if none of them belongs to one."""
        heads = {self.head(job).id for job in jobs if job.parent_id is not None or job.parts}
        if not heads:
            return ()
        return tuple(self._read_jobs("where head_id = any(%s) order by head_id, seq", (list(heads),)))

    def dependents(self, job_id: str) -> list[Job]:
        """All jobs that depend on a job, in the order of their submission."""
        row = self._jobs.get(job_id)
        if row is not None and not row.linked:
            return []  # who comes to depend on a job marks it first
        return self._read_jobs(
            "where id in (select job_id from dependencies where on_id = %s) order by seq", (job_id,)
        )

    def awaited(self, job: Job, limit: int) -> tuple[list[Job], int]:
        """Up to `limit` of the jobs that a waiting job depends on and that are not completed; the number."""
        found = self._read_jobs(
            "where id in (select on_id from dependencies where job_id = %s) and status <> %s",
            (job.id, JobStatus.COMPLETED.value),
        )
        places = {job_id: place for place, job_id in enumerate(job.depends_on)}
        found.sort(key=lambda each: places.get(each.id, 0))
        return found[:limit], self.unmet(job.id)

    def unmet(self, job_id: str) -> int:
        """How many of the jobs that a waiting job depends on are not completed."""
        return int(
            self._value(
                "select count(*) from dependencies left join jobs on id = on_id "
                "where job_id = %s and status is distinct from %s",
                (job_id, JobStatus.COMPLETED.value),
            )
        )

    def is_kept(self, job: Job) -> bool:
        """Whether an unfinished job depends on this one, or on one of its parts."""
        return bool(
            self._value(
                "select exists (select 1 from jobs member join dependencies on on_id = member.id "
                "join jobs waiting on waiting.id = job_id "
                "where member.head_id = %s and waiting.head_id <> %s and not waiting.final)",
                (job.id, job.id),
            )
        )

    def retries(self, job_id: str) -> list[Job]:
        """All jobs that repeat a job, those that repeat these, and so on, in the order of submission."""
        return self._read_jobs(
            "where id in (with recursive again(id) as ("
            "select id from jobs where retry_of = %s "
            "union select jobs.id from jobs join again on retry_of = again.id) select id from again) "
            "order by seq",
            (job_id,),
        )

    def links(self) -> StoredLinks:
        """Which jobs depend on which, for the rules."""
        return StoredLinks(self)


class StoredLinks:
    """`master.lifecycle.view.Links` of a transaction."""

    def __init__(self, relatives: Relatives) -> None:
        self._relatives = relatives

    def job(self, job_id: str) -> Job | None:
        """The job with this id."""
        return self._relatives.job(job_id)

    def dependents(self, job_id: str) -> Sequence[Job]:
        """The unfinished jobs that depend on a job, in the order of their submission."""
        return [job for job in self._relatives.dependents(job_id) if not job.status.final]

    def unmet(self, job_id: str) -> int:
        """How many of the jobs that a waiting job depends on are not completed."""
        return self._relatives.unmet(job_id)

    def family(self, job_id: str) -> Sequence[Job]:
        """All jobs of the family that a job belongs to; empty if it belongs to none."""
        job = self._relatives.job(job_id)
        return () if job is None else self._relatives.family(job)
