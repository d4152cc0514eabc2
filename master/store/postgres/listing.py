"""Jobs in order, and how many there are."""

from __future__ import annotations

from datetime import datetime
from typing import Any, LiteralString

from common.model import Job, JobStatus
from master.store.listings import ListingKey
from master.store.postgres.reading import Reading
from master.store.postgres.rows import count_name, result_name


class Listing(Reading):
    """The questions of pages and tables."""

    def page(
        self,
        status: JobStatus | None,
        after: ListingKey | None,
        limit: int,
        owner: str | None = None,
        *,
        whole: bool = False,
    ) -> list[Job]:
        """Jobs in listing order; of one owner, if there is one; `whole`: without parts."""
        wheres: list[LiteralString] = []
        values: list[Any] = []
        if status is not None:
            wheres.append("status = %s")
            values.append(status.value)
        if owner is not None:
            wheres.append("owner = %s")
            values.append(owner)
        if whole:
            wheres.append("parent_id is null")
        if after is not None:
            wheres.append("(final, listed) > (%s, %s)")
            values += [bool(after[0]), after[1]]
        return self._ordered(wheres, "order by final, listed limit %s", [*values, limit])

    def results_page(
        self, after: ListingKey | None, limit: int, owner: str | None = None, *, whole: bool = False
    ) -> tuple[list[Job], int]:
        """Completed and failed jobs, newest first, and how many there are; of one owner, if there is one.

        `whole`: without parts.
        """
        wheres: list[LiteralString] = ["has_result"]
        values: list[Any] = []
        if owner is not None:
            wheres.append("owner = %s")
            values.append(owner)
        if whole:
            wheres.append("parent_id is null")
        if after is not None:
            wheres.append("listed > %s")
            values.append(after[1])
        found = self._ordered(wheres, "order by listed limit %s", [*values, limit])
        return found, self._counted([result_name(owner, part) for part in _parts(whole=whole)])

    def count(self, status: JobStatus | None = None, owner: str | None = None, *, whole: bool = False) -> int:
        """How many jobs there are; `whole`: without parts."""
        statuses = list(JobStatus) if status is None else [status]
        return self._counted(
            [count_name(each, owner, part) for each in statuses for part in _parts(whole=whole)]
        )

    def bound(self) -> list[Job]:
        """The unfinished jobs that are parts of others, or wait for others."""
        found = self._read_jobs("where not final and linked order by listed")
        return [job for job in found if job.parent_id is not None or job.awaits_parts or job.awaits_jobs]

    def running(self) -> list[Job]:
        """All jobs that run."""
        return self._read_jobs("where node_id is not null order by seq")

    def running_parts(self) -> list[Job]:
        """Of these, the parts of other jobs."""
        return self._read_jobs("where node_id is not null and parent_id is not null order by seq")

    def beginning_with(self, prefix: str) -> list[Job]:
        """The jobs whose ids begin so, in the order of their ids."""
        return self._read_jobs("where id >= %s and id < %s order by id", (prefix, f"{prefix}\U0010ffff"))

    def by_key(self, key: str) -> list[Job]:
        """The jobs that were submitted with this `Idempotency-Key`, in the order of their submission.

        Who asks is about to submit with it: until this transaction ends, nobody else does.
        """
        self._take_name(f"key:{key}")
        return self._read_jobs("where idempotency_key = %s order by seq", (key,))

    def finished_last(self, limit: int) -> list[Job]:
        """Up to `limit` finished jobs, the last one first; parts are with their parents."""
        return self._read_jobs(
            "where finished_at is not null and parent_id is null "
            "order by finished_at desc, seq desc limit %s",
            (limit,),
        )

    def finished_before(self, moment: datetime, limit: int) -> tuple[list[Job], int]:
        """Jobs that were finished before `moment`, oldest first, and how many there are.

        A part is none of them: it goes with its parent. Nor is one that unfinished jobs depend on.
        """
        old: LiteralString = (
            "where finished_at < %s and parent_id is null and not (linked and exists ("
            "select 1 from jobs member join dependencies on on_id = member.id "
            "join jobs waiting on waiting.id = job_id "
            "where member.head_id = jobs.id and waiting.head_id <> jobs.id and not waiting.final)) "
        )
        found = self._read_jobs(old + "order by finished_at, seq limit %s", (moment, limit)) if limit else []
        return found, int(self._value("select count(*) from jobs " + old, (moment,)))

    def referring_to(self, sha256: str) -> list[Job]:
        """The jobs that refer to a file of the file store."""
        return self._read_jobs(
            "where id in (select job_id from job_files where sha256 = %s) order by seq", (sha256,)
        )

    def _ordered(self, wheres: list[LiteralString], order: LiteralString, values: list[Any]) -> list[Job]:
        where: LiteralString = " and ".join(wheres)
        return self._read_jobs("where " + where + " " + order if wheres else order, values)

    def _counted(self, names: list[str]) -> int:
        return int(self._value("select coalesce(sum(n), 0) from tally where name = any(%s)", (names,)))

    def _take_name(self, name: str) -> None:
        raise NotImplementedError


def _parts(*, whole: bool) -> tuple[int, ...]:
    """Whether parts are wanted (1), and what is none (0)."""
    return (0,) if whole else (0, 1)
