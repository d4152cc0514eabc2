"""Streams of what happens, as people and programs follow it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from common.model import JobStatus
from master.live import EventStream, Filter, LogStream, Report
from master.service import jobs
from master.service.farm import Farm
from master.service.views import Caller


def events(
    farm: Farm,
    caller: Caller,
    after: int | None,
    wanted: Filter,
    may_read: Callable[[], bool],
    document: Callable[[Report], Any],
    *,
    follow: bool,
) -> EventStream:
    """All that happens, as `caller` may see it; see `EventStream`. `unavailable` if there are too many."""
    farm.live.check_room(caller.name)
    return EventStream(farm.live, wanted, after, may_read, document, caller.name, follow=follow)


def follow(farm: Farm, caller: Caller, job_id: str, after: int, may_read: Callable[[], bool]) -> LogStream:
    """A job's log as it is written, until the job is finished; see `LogStream`. `unavailable` as above."""
    jobs.get(farm, caller, job_id)
    farm.live.check_room(caller.name)

    def status() -> JobStatus | None:
        with farm.store.transaction(farm.clock()) as tx:
            job = tx.job(job_id)
        return None if job is None else job.status

    return LogStream(farm.live, job_id, after, may_read, status, caller.name)
