"""The pending jobs in order: a claim looks at the heads of groups, never at every job."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from itertools import count

from common.model import Constraints, Job, Node, Now, Priority
from master import scheduler

_Heap = list[tuple[int, int, str]]  # seq, ticket, job id


class Queue:
    """A heap for each set of constraints and priority, and one for the backoffs.

    Entries are removed lazily: an entry counts while it carries its job's current ticket.
    """

    def __init__(self) -> None:
        self._groups: dict[Constraints, dict[Priority, _Heap]] = {}
        self._waiting: list[tuple[float, int, str]] = []  # ready at, ticket, job id
        self._tickets: dict[str, int] = {}
        self._ready_at: dict[str, float] = {}
        self._next_ticket = count()

    def put(self, job: Job, now: Now) -> None:
        """Queue `job`, behind its backoff if it has one."""
        ticket = self._tickets[job.id] = next(self._next_ticket)
        if job.retry_delay > 0:
            ready_at = self._ready_at[job.id] = now.mono + job.retry_delay
            heapq.heappush(self._waiting, (ready_at, ticket, job.id))
        else:
            self._push(job, ticket)

    def remove(self, job_id: str) -> None:
        """Forget a job that no longer waits."""
        self._tickets.pop(job_id, None)
        self._ready_at.pop(job_id, None)

    def ready_in(self, job_id: str, now: Now) -> float:
        """Seconds until the job's backoff is over; 0 if it has none."""
        return max(0.0, self._ready_at.get(job_id, now.mono) - now.mono)

    def release(self, jobs: Mapping[str, Job], now: Now) -> list[Job]:
        """Let those whose backoff is over take their place; answers which they were."""
        released = []
        while self._waiting and self._waiting[0][0] <= now.mono:
            _, ticket, job_id = heapq.heappop(self._waiting)
            if self._tickets.get(job_id) == ticket:
                del self._ready_at[job_id]
                self._push(jobs[job_id], ticket)
                released.append(jobs[job_id])
        return released

    def heads(self, node: Node) -> Iterator[str]:
        """The first job (its id) of each group that `node` can serve."""
        for wanted, by_priority in list(self._groups.items()):
            if not scheduler.meets(node, wanted):
                continue
            heads = (self._head(by_priority, priority) for priority in Priority)
            head = next((job_id for job_id in heads if job_id is not None), None)
            if head is None:
                del self._groups[wanted]
            else:
                yield head

    def _push(self, job: Job, ticket: int) -> None:
        by_priority = self._groups.setdefault(job.constraints, {})
        heapq.heappush(by_priority.setdefault(job.priority, []), (job.seq, ticket, job.id))

    def _head(self, by_priority: dict[Priority, _Heap], priority: Priority) -> str | None:
        heap = by_priority.get(priority)
        while heap:
            _, ticket, job_id = heap[0]
            if self._tickets.get(job_id) == ticket:
                return job_id
            heapq.heappop(heap)
        by_priority.pop(priority, None)
        return None
