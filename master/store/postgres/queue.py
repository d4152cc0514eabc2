"""The pending jobs as nodes get them: the first of each kind, and never one that is just given away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from common.model import Constraints, Job, Node, Priority
from master import scheduler
from master.store.postgres import lanes, rows
from master.store.postgres.kinds import Kinds
from master.store.postgres.relatives import Relatives
from master.store.postgres.rows import JOB_COLUMNS, JobRow, kind_name
from master.store.rounds import Rounds

_READY: LiteralString = "waits and ready_at is null"
_LANE: LiteralString = "kind, priority, coalesce(owner, '')"
_LANES: LiteralString = (
    # Walks from one lane to the next by the index: what it costs does not grow with the number of jobs.
    f"with recursive found(kind, priority, lane) as ("
    f"(select {_LANE} from jobs where {_READY} order by {_LANE} limit 1) "
    f"union all select following.* from found, lateral (select {_LANE} from jobs where {_READY} "
    f"and ({_LANE}) > (found.kind, found.priority, found.lane) order by {_LANE} limit 1) as following) "
    f"select found.kind, wanted, priority, lane from found join kinds on kinds.id = found.kind "
    f"order by found.kind, priority, lane"
)
_IN_LANE: LiteralString = (
    f"jobs.kind = wanted.kind and jobs.priority = wanted.priority and coalesce(jobs.owner, '') = wanted.lane "
    f"and {_READY} and (parent_id is null or parent_id <> all(%(but_of)s)) and id <> all(%(but)s)"
)
_WANTED: LiteralString = (
    "unnest(%(kinds)s::bigint[], %(ranks)s::smallint[], %(lanes)s::text[], %(rounds)s::bigint[]) "
    "as wanted(kind, priority, lane, round)"
)
_HEADS: LiteralString = (
    f"select {JOB_COLUMNS} from (select distinct on (wanted.kind) head.id as first_id from {_WANTED}, "
    f"lateral (select id, place, seq from jobs where {_IN_LANE} order by place, seq limit 1) as head "
    f"order by wanted.kind, wanted.priority, wanted.round, head.place, head.seq) as first "
    f"join jobs on id = first_id"
)
_NEXT: LiteralString = (
    # Of each lane, the first in the first round, and so on: as they would be given out one by one.
    f"select head.id from {_WANTED}, lateral (select id, place, seq, row_number() over (order by place, seq) "
    f"as turn from jobs where {_IN_LANE} and not linked order by place, seq limit %(each)s) as head "
    f"order by wanted.priority, wanted.round + head.turn, head.place, head.seq"
)
_FREE: LiteralString = (
    f"select {JOB_COLUMNS} from unnest(%s::text[]) with ordinality as asked(name, turn) "
    f"join jobs on id = name where {_READY} and not linked order by turn limit 1 "
    f"for no key update of jobs skip locked"
)
_AHEAD = 64
"""Jobs of a kind that are looked at for one that nobody is giving away just now."""


@dataclass(frozen=True, slots=True)
class Lane:
    """The waiting jobs of a submitter that are of one kind and one priority."""

    kind: int
    wanted: Constraints
    rank: int
    name: str

    @property
    def owner(self) -> str | None:
        """The submitter; None: they are nobody's."""
        return self.name or None


class Queue(Relatives):
    """The questions of claims. Which job suits which node is `master.scheduler`'s to say."""

    _kinds: Kinds
    _held: set[str]
    _passed: set[str]
    _reserved: dict[int, JobRow]
    _lanes: Sequence[Lane]
    _rounds: list[Rounds]
    """By the rank of priorities; empty: they were not read yet."""
    given: dict[tuple[int, str | None], lanes.Given]
    """What nodes were given in this transaction."""

    def candidates(self, node: Node, but_of: Collection[str] = ()) -> Iterator[Job]:
        """Pending jobs that `node` meets the constraints of: the first of each kind, in their order.

        `but_of`: jobs whose parts are left out.
        """
        meets: dict[int, bool] = {}
        self._lanes = self._lanes_waiting()
        for lane in self._lanes:
            if lane.kind not in meets:
                meets[lane.kind] = scheduler.meets(node, lane.wanted)
        kept = [row.record for kind, row in self._reserved.items() if meets.get(kind)]
        reserved = [job for job in kept if job.waits_for_a_node and job.parent_id not in but_of]
        others = [lane for lane in self._lanes if meets[lane.kind] and lane.kind not in self._reserved]
        heads = self._heads(others, but_of)
        return iter(sorted([*heads, *reserved], key=self._in_turn))

    def reserve(self, job: Job) -> bool:
        """Hold a pending job that is about to be given to a node; False if somebody else just does that.

        Then `candidates` has the next of its kind in its place. It never waits, but for others that decide
        about families and chains.
        """
        row = self._jobs[job.id]
        if row.linked:
            self._take_links()
        if job.id in self._held:
            return True
        found = self._all(
            f"select {JOB_COLUMNS} from jobs where id = %s and {_READY} for no key update skip locked",
            (job.id,),
        )
        if found and (fresh := rows.job_row(found[0])).version == row.version:
            self._held.add(job.id)
            self._remember(fresh)
            return True
        self._passed.add(job.id)
        self._reserve_next(row.kind)
        return False

    def _reserve_next(self, kind: int) -> None:
        """Hold the next of a kind that nobody holds: among many who ask at once, each gets another one."""
        its = [lane for lane in self._lanes if lane.kind == kind]
        if not its:
            return
        # Those that others hold have their turns too, and so are not left out.
        asked = {**self._in_lanes(its, ()), "but": [], "each": max(2, _AHEAD // len(its))}
        found = self._all(_FREE, ([job_id for (job_id,) in self._all(_NEXT, asked)],))
        if found:
            row = self._remember(rows.job_row(found[0]))
            self._held.add(row.record.id)
            self._reserved[kind] = row

    def released(self) -> list[Job]:
        """Jobs whose backoff ended just now."""
        found = self._all(
            "update jobs set ready_at = null, version = version + 1 where id in ("
            "select id from jobs where waits and ready_at <= %s order by ready_at limit 1000 "
            f"for no key update skip locked) returning {JOB_COLUMNS}",
            (self.now.wall,),
        )
        known = [self._remember(rows.job_row(each)) for each in found]
        self._tally(Counter(kind_name(row.kind) for row in known))
        return [row.record for row in known]

    def waiting(self, priority: Priority) -> tuple[int, Job | None]:
        """How many jobs of a priority wait for a node, and which of them was submitted first."""
        first = self._read_jobs("where waits and priority = %s order by seq limit 1", (priority.rank,))
        return self._counted([f"waits:{priority.rank}"]), first[0] if first else None

    def kinds(self, limit: int) -> list[tuple[Job, int]]:
        """Up to `limit` kinds of jobs that wait without a backoff: the first of each, and how many."""
        found = self._lanes_waiting()
        kinds = set(list(dict.fromkeys(lane.kind for lane in found))[:limit])
        heads = self._heads([lane for lane in found if lane.kind in kinds])
        return [(job, self._counted([kind_name(self._jobs[job.id].kind)])) for job in heads]

    def ready_in(self, job_id: str) -> float:
        """Seconds that a pending job's backoff still lasts."""
        self.job(job_id)
        row = self._jobs.get(job_id)
        return 0.0 if row is None else row.ready_in(self.now)

    def reason(self, job: Job) -> str:
        """Why `job` waits, which has no backoff: the same for all jobs with its constraints."""
        return scheduler.pending_reason(job, self.nodes(), 0.0, paused=self.farm().paused)

    def next_seq(self, count: int = 1) -> int:
        """The first of `count` places in the queue that nobody else gets."""
        return int(self._value("select take_places(%s)", (count,)))

    def _lanes_waiting(self) -> list[Lane]:
        """The lanes of jobs that wait without a backoff."""
        return [
            Lane(kind, self._kinds.wanted(kind, text), rank, name)
            for kind, text, rank, name in self._all(_LANES)
        ]

    def _heads(self, wanted: Sequence[Lane], but_of: Collection[str] = ()) -> list[Job]:
        """The first job of each kind, in the order of their numbers."""
        if not wanted:
            return []
        found = self._all(_HEADS, self._in_lanes(wanted, but_of))
        heads = [self._remember(rows.job_row(each)) for each in found]
        return [row.record for row in sorted(heads, key=lambda row: row.kind)]

    def _in_lanes(self, wanted: Sequence[Lane], but_of: Collection[str]) -> dict[str, Any]:
        """The values for `_WANTED` and `_IN_LANE`."""
        return {
            "kinds": [lane.kind for lane in wanted],
            "ranks": [lane.rank for lane in wanted],
            "lanes": [lane.name for lane in wanted],
            "rounds": [self._turns()[lane.rank].of(lane.owner) for lane in wanted],
            "but_of": list(but_of),
            "but": list(self._passed),
        }

    def _in_turn(self, job: Job) -> tuple[int, int, tuple[int, int]]:
        """The queue's order: smaller goes first."""
        rank, turn = scheduler.order(job)
        return rank, self._turns()[rank].of(job.owner), turn

    def _note_given(self, job: Job) -> None:
        """A node is given a job that waited: others have their turn before the next of its submitter."""
        rounds = self._turns()[job.priority.rank]
        key, round_ = (job.priority.rank, job.owner), rounds.of(job.owner)
        known = self.given.get(key)
        if known is None:
            self.given[key] = lanes.Given(round_, round_)
        else:
            known.last, known.count = round_, known.count + 1
        rounds.given(job.owner)

    def _turns(self) -> list[Rounds]:
        """The rounds that all are in, by the rank of priorities."""
        if not self._rounds:
            self._rounds = lanes.read(self._connection)
        return self._rounds

    def _take(self, lock: int, *, shared: bool = False) -> None:
        raise NotImplementedError

    def _take_links(self) -> None:
        raise NotImplementedError

    def _tally(self, sums: Mapping[str, int]) -> None:
        raise NotImplementedError
