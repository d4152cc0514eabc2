"""The pending jobs in order: a claim looks at the heads of groups, never at every job."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from itertools import count, islice

from sortedcontainers import SortedList

from common.model import Constraints, Job, Node, Now, Priority
from master import scheduler

_Heap = list[tuple[tuple[int, int], int, str]]  # turn, ticket, job id


class _Group:
    """The jobs with the same constraints, by priority; how many of the entries still count."""

    def __init__(self) -> None:
        self.heaps: dict[Priority, _Heap] = {}
        self.live = 0


class Queue:
    """A group for each set of constraints, and one heap for the backoffs.

    Entries are removed lazily: an entry counts while it carries its job's current ticket.
    """

    def __init__(self) -> None:
        self._groups: dict[Constraints, _Group] = {}
        self._waiting: list[tuple[float, int, str]] = []  # ready at, ticket, job id
        self._tickets: dict[str, int] = {}
        self._ready_at: dict[str, float] = {}
        self._next_ticket = count()
        self._in_order: dict[Priority, SortedList] = {each: SortedList() for each in Priority}
        """All that wait, also those with a backoff: place of submission, job id."""

    def put(self, job: Job, now: Now) -> None:
        """Queue `job`, behind its backoff if it has one."""
        ticket = self._tickets[job.id] = next(self._next_ticket)
        self._in_order[job.priority].add((job.seq, job.id))
        if job.retry_delay > 0:
            ready_at = self._ready_at[job.id] = now.mono + job.retry_delay
            heapq.heappush(self._waiting, (ready_at, ticket, job.id))
        else:
            self._push(job, ticket)

    def remove(self, job: Job) -> None:
        """Forget a job that no longer waits."""
        del self._tickets[job.id]
        self._in_order[job.priority].remove((job.seq, job.id))
        if self._ready_at.pop(job.id, None) is not None:
            return
        group = self._groups[job.constraints]
        group.live -= 1
        if group.live == 0:
            del self._groups[job.constraints]

    def waiting(self, priority: Priority) -> tuple[int, str | None]:
        """How many wait, and the id of the one that was submitted first; it may have a backoff."""
        waiting = self._in_order[priority]
        return len(waiting), waiting[0][1] if waiting else None

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

    def heads(self, node: Node, leave_out: Callable[[str], bool] | None = None) -> Iterator[str]:
        """The first job (its id) of each group that `node` can serve, but for those to leave out."""
        for wanted, group in self._groups.items():
            if scheduler.meets(node, wanted):
                heads = (
                    self._head(group, priority)
                    if leave_out is None
                    else self._next(group, priority, leave_out)
                    for priority in Priority
                )
                first = next((job_id for job_id in heads if job_id is not None), None)
                if first is not None:
                    yield first

    def kinds(self, limit: int) -> list[tuple[str, int]]:
        """Up to `limit` kinds of jobs that wait without a backoff: the id of the first, and how many."""
        found = []
        for group in islice(self._groups.values(), limit):
            heads = (self._head(group, priority) for priority in Priority)
            first = next((job_id for job_id in heads if job_id is not None), None)
            if first is not None:
                found.append((first, group.live))
        return found

    def _push(self, job: Job, ticket: int) -> None:
        group = self._groups.setdefault(job.constraints, _Group())
        heapq.heappush(group.heaps.setdefault(job.priority, []), (job.turn, ticket, job.id))
        group.live += 1

    def _next(self, group: _Group, priority: Priority, leave_out: Callable[[str], bool]) -> str | None:
        """The first that is not left out: from the top of the heap down, so that only those are looked at."""
        heap = group.heaps.get(priority, [])
        front = [(heap[0], 0)] if heap else []
        while front:
            (_, ticket, job_id), at = heapq.heappop(front)
            if self._tickets.get(job_id) == ticket and not leave_out(job_id):
                return job_id
            for below in (2 * at + 1, 2 * at + 2):
                if below < len(heap):
                    heapq.heappush(front, (heap[below], below))
        return None

    def _head(self, group: _Group, priority: Priority) -> str | None:
        heap = group.heaps.get(priority)
        while heap:
            _, ticket, job_id = heap[0]
            if self._tickets.get(job_id) == ticket:
                return job_id
            heapq.heappop(heap)
        return None
