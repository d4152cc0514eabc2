"""The pending jobs as nodes get them: the first of each kind, and never one that is just given away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import LiteralString

from common.model import Constraints, Job, Node, Priority
from master import scheduler
from master.store.postgres import rows
from master.store.postgres.kinds import Kinds
from master.store.postgres.known import KnownNodes
from master.store.postgres.relatives import Relatives
from master.store.postgres.rows import JOB_COLUMNS, JobRow, kind_name

_READY: LiteralString = "waits and ready_at is null"
_ORDER: LiteralString = "priority, place, seq"
_KINDS: LiteralString = (
    # Walks from one kind to the next by the index: what it costs does not grow with the number of jobs.
    f"with recursive found(kind) as ("
    f"(select kind from jobs where {_READY} order by kind limit 1) "
    f"union all select (select kind from jobs where {_READY} and kind > found.kind order by kind limit 1) "
    f"from found where found.kind is not null) "
    f"select found.kind, wanted from found join kinds on kinds.id = found.kind"
)
_HEADS: LiteralString = (
    f"select head.* from unnest(%s::bigint[]) as wanted(number), lateral ("
    f"select {JOB_COLUMNS} from jobs where jobs.kind = wanted.number and {_READY} "
    f"and (parent_id is null or parent_id <> all(%s)) and id <> all(%s) "
    f"order by {_ORDER} limit 1) as head"
)


class Queue(Relatives):
    """The questions of claims. Which job suits which node is `master.scheduler`'s to say."""

    _kinds: Kinds
    _known_nodes: KnownNodes
    _held: set[str]
    _passed: set[str]
    _reserved: dict[int, JobRow]

    def candidates(self, node: Node, but_of: Collection[str] = ()) -> Iterator[Job]:
        """Pending jobs that `node` meets the constraints of: the first of each kind, in their order.

        `but_of`: jobs whose parts are left out.
        """
        kinds = [kind for kind, wanted in self._kinds_waiting() if scheduler.meets(node, wanted)]
        kept = [row.record for kind in kinds if (row := self._reserved.get(kind)) is not None]
        reserved = [job for job in kept if job.waits_for_a_node and job.parent_id not in but_of]
        others = [kind for kind in kinds if kind not in self._reserved]
        found = self._all(_HEADS, (others, list(but_of), list(self._passed)))
        heads = [self._remember(rows.job_row(each)).record for each in found]
        return iter(sorted([*heads, *reserved], key=scheduler.order))

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
        found = self._all(
            f"select {JOB_COLUMNS} from jobs where kind = %s and {_READY} and id <> all(%s) and not linked "
            f"order by {_ORDER} limit 1 for no key update skip locked",
            (kind, list(self._passed)),
        )
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
        kinds = [kind for kind, _ in self._kinds_waiting()][:limit]
        heads = self._all(_HEADS, (kinds, [], []))
        known = [self._remember(rows.job_row(each)) for each in heads]
        return [(row.record, self._counted([kind_name(row.kind)])) for row in known]

    def ready_in(self, job_id: str) -> float:
        """Seconds that a pending job's backoff still lasts."""
        self.job(job_id)
        row = self._jobs.get(job_id)
        return 0.0 if row is None else row.ready_in(self.now)

    def reason(self, job: Job) -> str:
        """Why `job` waits, which has no backoff: the same for all jobs with its constraints."""
        nodes = self._known_nodes.get(self.nodes)
        return scheduler.pending_reason(job, nodes, 0.0, paused=self.farm().paused)

    def next_seq(self, count: int = 1) -> int:
        """The first of `count` places in the queue that nobody else gets."""
        return int(self._value("select take_places(%s)", (count,)))

    def _kinds_waiting(self) -> list[tuple[int, Constraints]]:
        """The kinds of which jobs wait without a backoff."""
        return [(number, self._kinds.wanted(number, text)) for number, text in self._all(_KINDS)]

    def _take(self, lock: int, *, shared: bool = False) -> None:
        raise NotImplementedError

    def _take_links(self) -> None:
        raise NotImplementedError

    def _tally(self, sums: Mapping[str, int]) -> None:
        raise NotImplementedError
