"""The pending jobs in order: a claim looks at the first of each kind, never at every job.

Jobs with the same constraints are of one kind. A kind has a line for each priority, and a line has a lane for
each submitter, in the order of `Job.turn`. Which lane is next, `master.store.rounds` says. A job is named by
its `seq`, and its place in a lane is one number, so that a million of them take little memory.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from common.model import Constraints, Job, Node, Now, Priority
from master import scheduler
from master.store.ordered import Ordered
from master.store.rounds import Rounds

_SEQ_BITS = 40
_SEQ = (1 << _SEQ_BITS) - 1
_MOST_EQUIPMENTS = 4096
"""Ways to equip a node for which it is remembered what they can run."""

LeaveOut = Callable[[int], bool]
"""Whether the job with this `seq` is not wanted."""


def _turn(job: Job) -> int:
    """`Job.turn` as one number."""
    place, seq = job.turn
    return place << _SEQ_BITS | seq


class Head(NamedTuple):
    """The first job of some; what comes first is the least."""

    rank: int
    """Of its priority."""
    round: int
    turn: int

    @property
    def seq(self) -> int:
        """Which job it is."""
        return self.turn & _SEQ


class _Lane:
    """The jobs of one submitter in a line."""

    __slots__ = ("entry", "turns")

    def __init__(self) -> None:
        self.turns: Ordered[int] = Ordered()
        self.entry: tuple[int, int] | None = None
        """Round and turn that stand in the line's heap for it; never above those of its first job."""


class _Line:
    """The jobs of one kind and one priority."""

    def __init__(self, rounds: Rounds) -> None:
        self.lanes: dict[str | None, _Lane] = {}
        self._rounds = rounds
        self._heap: list[tuple[int, int, str | None]] = []

    def add(self, owner: str | None, turn: int) -> None:
        lane = self.lanes.get(owner)
        if lane is None:
            lane = self.lanes[owner] = _Lane()
        lane.turns.add(turn)
        if lane.entry is None or turn < lane.entry[1]:
            self._enter(owner, lane, turn)

    def remove(self, owner: str | None, turn: int) -> None:
        lane = self.lanes[owner]
        lane.turns.discard(turn)
        if not lane.turns:
            del self.lanes[owner]

    def first(self) -> tuple[int, int] | None:
        """The round and the turn of the next job.

        Entries are brought up to date when they are met: rounds only rise, so what an entry stands for is
        never before it.
        """
        while self._heap:
            round_, turn, owner = self._heap[0]
            lane = self.lanes.get(owner)
            if lane is None or lane.entry != (round_, turn):
                heapq.heappop(self._heap)  # it is gone, or has another entry
                continue
            now = self._rounds.of(owner), lane.turns.first
            if now == lane.entry:
                return now
            lane.entry = now
            heapq.heapreplace(self._heap, (*now, owner))
        return None

    def first_but(self, leave_out: LeaveOut) -> tuple[int, int] | None:
        """The same among those that are not left out; it looks at each lane."""
        found = [
            (self._rounds.of(owner), turn)
            for owner, lane in self.lanes.items()
            if (turn := next((each for each in lane.turns if not leave_out(each & _SEQ)), None)) is not None
        ]
        return min(found, default=None)

    def _enter(self, owner: str | None, lane: _Lane, turn: int) -> None:
        lane.entry = self._rounds.of(owner), turn
        heapq.heappush(self._heap, (*lane.entry, owner))


class _Kind:
    """The jobs with the same constraints: a line for each priority, the highest first."""

    def __init__(self, wanted: Constraints) -> None:
        self.wanted = wanted
        self.lines: list[_Line | None] = [None] * len(Priority)
        self.count = 0
        self.fits: dict[int, bool] = {}
        """By equipment of nodes: whether they can run them."""

    def head(self, leave_out: LeaveOut | None = None) -> Head | None:
        for rank, line in enumerate(self.lines):
            if line is not None:
                first = line.first() if leave_out is None else line.first_but(leave_out)
                if first is not None:
                    return Head(rank, *first)
        return None


class Queue:
    """A kind for each set of constraints, and one heap for the backoffs."""

    def __init__(self) -> None:
        self._kinds: dict[Constraints, _Kind] = {}
        self._waiting: list[
            tuple[float, str]
        ] = []  # ready at, job id; it counts if `_ready_at` says the same
        self._ready_at: dict[str, float] = {}
        self._in_order: list[Ordered[int]] = [Ordered() for _ in Priority]
        """All that wait, also those with a backoff."""
        self._rounds = [Rounds() for _ in Priority]
        self._equipments: dict[Hashable, int] = {}
        self._asked_last: tuple[Node, int] | None = None
        """The node that was looked for last, and how it is equipped: it may be given many, one by one."""

    def put(self, job: Job, now: Now) -> None:
        """Queue `job`, behind its backoff if it has one."""
        self._in_order[job.priority.rank].add(job.seq)
        if job.retry_delay > 0:
            ready_at = self._ready_at[job.id] = now.mono + job.retry_delay
            heapq.heappush(self._waiting, (ready_at, job.id))
        else:
            self._push(job)

    def put_first_time(self, seq: int, rank: int, owner: str | None, wanted: Constraints) -> None:
        """The same for a job that only waits: it has no backoff, and no other place than its own."""
        self._in_order[rank].add(seq)
        self._add(wanted, rank, owner, seq << _SEQ_BITS | seq)

    def remove(self, job: Job, *, given: bool = False) -> None:
        """Forget a job that no longer waits; `given`: a node was given it."""
        rank = job.priority.rank
        self._in_order[rank].discard(job.seq)
        if self._ready_at.pop(job.id, None) is None:
            self._take(job, rank)
        if given:
            self._rounds[rank].given(job.owner)
        if not self._in_order[rank]:
            self._rounds[rank].end()

    def settle(self) -> None:
        """Sort in what came."""
        for waiting in self._in_order:
            waiting.settle()
        for kind in self._kinds.values():
            for line in filter(None, kind.lines):
                for lane in line.lanes.values():
                    lane.turns.settle()

    def waiting(self, priority: Priority) -> tuple[int, int | None]:
        """How many wait, and the one that was submitted first; it may have a backoff."""
        waiting = self._in_order[priority.rank]
        return len(waiting), waiting.first if len(waiting) else None

    def ready_in(self, job_id: str, now: Now) -> float:
        """Seconds until the job's backoff is over; 0 if it has none."""
        return max(0.0, self._ready_at.get(job_id, now.mono) - now.mono)

    def release(self, jobs: Mapping[str, Job], now: Now) -> list[Job]:
        """Let those whose backoff is over take their place; answers which they were."""
        released = []
        while self._waiting and self._waiting[0][0] <= now.mono:
            ready_at, job_id = heapq.heappop(self._waiting)
            if self._ready_at.get(job_id) == ready_at:
                del self._ready_at[job_id]
                self._push(jobs[job_id])
                released.append(jobs[job_id])
        return released

    def heads(self, node: Node, leave_out: LeaveOut | None = None) -> Iterator[int]:
        """The first job of each kind that `node` can serve, in their order, but for those to leave out."""
        equipment = self._equipment(node)
        found = []
        for kind in self._kinds.values():
            fits = kind.fits.get(equipment)
            if fits is None:
                fits = kind.fits[equipment] = scheduler.meets(node, kind.wanted)
            if fits and (head := kind.head(leave_out)) is not None:
                found.append(head)
        heapq.heapify(found)
        while found:
            yield heapq.heappop(found).seq

    def kinds(self, limit: int) -> list[tuple[int, int]]:
        """Up to `limit` kinds of jobs that wait without a backoff: the first, and how many."""
        found = ((kind.head(), kind.count) for kind in islice(self._kinds.values(), limit))
        return [(head.seq, count) for head, count in found if head is not None]

    def _push(self, job: Job) -> None:
        self._add(job.constraints, job.priority.rank, job.owner, _turn(job))

    def _add(self, wanted: Constraints, rank: int, owner: str | None, turn: int) -> None:
        kind = self._kinds.get(wanted)
        if kind is None:
            kind = self._kinds[wanted] = _Kind(wanted)
        line = kind.lines[rank]
        if line is None:
            line = kind.lines[rank] = _Line(self._rounds[rank])
        line.add(owner, turn)
        kind.count += 1

    def _take(self, job: Job, rank: int) -> None:
        kind = self._kinds[job.constraints]
        line = kind.lines[rank]
        assert line is not None  # noqa: S101 - it was put there
        line.remove(job.owner, _turn(job))
        if not line.lanes:
            kind.lines[rank] = None
        kind.count -= 1
        if kind.count == 0:
            del self._kinds[job.constraints]

    def _equipment(self, node: Node) -> int:
        """A number for the way in which `node` is equipped."""
        last = self._asked_last
        if last is not None and last[0] is node:
            return last[1]
        key = scheduler.equipment(node)
        number = self._equipments.get(key)
        if number is None:
            if len(self._equipments) >= _MOST_EQUIPMENTS:
                self._equipments.clear()
                for kind in self._kinds.values():
                    kind.fits.clear()
            number = self._equipments[key] = len(self._equipments)
        self._asked_last = node, number
        return number
